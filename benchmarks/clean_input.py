"""What does each network for phones take away from a picture that has no noise?

A control for every gain: what it loses there is picture. The networks that ship for phones, on six photographs of
phones with texture and on six of Kodak's through a simulated phone, middles of 256 pixels: PSNR of the noisy input, of
the answer to it, and of the answer to the clean picture itself, there also over textured pixels alone. Where the last
is hardly above the second, a network loses detail rather than leaves noise. Ten minutes of one core.
"""

from outcome import heading, store

from dnlib.training import score_pairs
from dnlib.zoo import cards, phones

NETWORKS = {
    "AP-BSN": "ap_bsn_phones",
    "LG-BPN": "lg_bpn_phones",
    "LG-BPN, local branch alone": "lg_bpn_phones_l4",
    "LG-BPN, global branch alone": "lg_bpn_phones_l5",
    "SSID": "ssid_phones",
    "SSID, S-2": "ssid_row_s2",
    "distilled": "distilled_phones",
    "learned from clean photographs": "photographs_rgb",
}
EACH = 6


def main():
    print(heading())
    judges = {
        name: found[:: len(found) // EACH][:EACH]
        for name, found in phones.all_judges(simulated=EACH).items()
        if name != "phones, chart"
    }
    rows = {}
    for where, pairs in judges.items():
        clean_ones = [pair._replace(noisy=pair.clean) for pair in pairs]
        print(f"  {where}, noisy {score_pairs(lambda y: y, pairs).mean_psnr:.2f} dB")
        for name, weights in NETWORKS.items():
            method = cards.load_method(weights)
            noisy, clean = score_pairs(method, pairs), score_pairs(method, clean_ones)
            found = {
                "of noisy": noisy.mean_psnr,
                "of clean": clean.mean_psnr,
                "in texture": clean.mean_parts["texture"],
            }
            rows.setdefault(where, {})[name] = found
            print(f"    {name:32}", ", ".join(f"{what} {value:.2f}" for what, value in found.items()), flush=True)
    store("clean_input", psnr=rows, each=EACH)


if __name__ == "__main__":
    main()
