"""CAREamics' Noise2Void on one image, by the clock; run by ../noise2void.py in an environment of its own.

careamics_noise2void.py FOLDER SECONDS: trains on FOLDER/noisy.npy with CAREamics' settings for it, looks at the result
after every epoch with the clock stopped, and prints [[seconds of training, PSNR], ...] as the last line.
"""

import json
import sys
import time
import types
from pathlib import Path

import numpy as np
import torch
import torchmetrics  # noqa: F401 - before torchvision is stood in for: it asks whether torchvision is there

for name in ("torchvision", "torchvision.transforms", "torchvision.transforms.functional"):
    # Imported by parts of CAREamics that are not used here; no build of it fits every build of torch.
    sys.modules[name] = types.ModuleType(name)
sys.modules["torchvision"].__version__ = "not installed"
sys.modules["torchvision.transforms"].functional = sys.modules["torchvision.transforms.functional"]

from careamics import CAREamist  # noqa: E402
from careamics.config import create_n2v_config  # noqa: E402
from lightning.pytorch import Callback  # noqa: E402

folder, budget = Path(sys.argv[1]), float(sys.argv[2])
clean, noisy = np.load(folder / "clean.npy"), np.load(folder / "noisy.npy")


class Look(Callback):
    """Scores one pass over the whole image at the end of each epoch, and stops when the time is over."""

    def __init__(self):
        self.training, self.curve = 0.0, []

    def on_train_start(self, trainer, module):
        self.since = time.perf_counter()

    def on_train_epoch_end(self, trainer, module):
        self.training += time.perf_counter() - self.since
        was_training = module.training
        module.eval()
        with torch.no_grad():
            image = torch.from_numpy((noisy - noisy.mean()) / noisy.std())[None, None]
            estimate = module.model(image)[0, 0].numpy() * noisy.std() + noisy.mean()
        module.train(was_training)
        self.curve.append((self.training, float(-10 * np.log10(np.mean((estimate - clean) ** 2)))))
        trainer.should_stop = trainer.should_stop or self.training > budget
        self.since = time.perf_counter()


look = Look()
config = create_n2v_config("bench", data_type="array", axes="YX", patch_size=[64, 64], batch_size=16, num_epochs=1000)
CAREamist(config, work_dir=folder / "careamics_work", callbacks=[look], enable_progress_bar=False).train(
    train_data=noisy
)
print(json.dumps(look.curve))
