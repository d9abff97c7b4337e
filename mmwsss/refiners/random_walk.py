"""A trained affinity network as a refiner of maps."""
from typing import Optional

import torch
from mmengine.config import Config
from torch import Tensor

from mmwsss.files.checkpoints import load_weights
from mmwsss.registry import MODELS, REFINERS, forget_pretrained


@REFINERS.register_module()
class RandomWalk:
    """Maps that walk along the affinities of a trained IRN or PSA.

    The same as ``tools/gen_pseudo.py configs/irn_voc.py CKPT --maps DIR``,
    but within a chain of refiners and on the CPU; the network is loaded by
    each process that refines, when it refines its first image.

    Args:
        config (str): Config file of the affinity network.
        checkpoint (str): Path or URL of its weights.
        test_cfg (dict, optional): Options of the walk that differ from the
            config's. Defaults to None.
    """

    def __init__(self, config: str, checkpoint: str,
                 test_cfg: Optional[dict] = None) -> None:
        self.model_cfg = Config.fromfile(config).model.to_dict()
        self.model_cfg['test_cfg'] = dict(self.model_cfg.get('test_cfg', {}),
                                          **(test_cfg or {}))
        self.checkpoint = checkpoint
        self.model: Optional[torch.nn.Module] = None

    def __call__(self, image: Tensor, maps: Tensor,
                 labels: Tensor) -> Tensor:
        """Refine maps (K, H, W) of an image (3, H, W), RGB, uint8."""
        del labels
        if not len(maps):
            return maps
        if self.model is None:
            self.model = self._load()
        # The preprocessor of the config takes what an image loader gives.
        data = self.model.data_preprocessor(
            dict(inputs=[image.flip(0)], data_samples=None))
        return self.model.refine(data['inputs'], [maps])[0]

    def _load(self) -> torch.nn.Module:
        forget_pretrained(self.model_cfg)
        model = MODELS.build(self.model_cfg)
        load_weights(model, self.checkpoint)
        return model.eval()
