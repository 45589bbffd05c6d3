from dnlib.cli import main

if __name__ == "__main__":  # processes of a cluster on this machine import it again
    main()
