from dnlib.cli import main

main()
