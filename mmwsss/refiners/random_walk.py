"""A trained affinity network as a refiner of maps."""
from typing import Any, Dict, Optional

import torch
from mmengine.config import Config
from torch import Tensor

from mmwsss.files.checkpoints import load_weights, weights_digest
from mmwsss.registry import MODELS, REFINERS, forget_pretrained

from .base import BaseRefiner


@REFINERS.register_module()
class RandomWalk(BaseRefiner):
    """Maps that walk along the affinities of a trained IRN or PSA.

    The same as ``tools/gen_pseudo.py configs/irn_voc.py CKPT --maps DIR``,
    but within a chain of refiners; the network is loaded by each process that
    refines, when it refines its first image.

    Args:
        config (str): Config file of the affinity network.
        checkpoint (str): Path or URL of its weights.
        test_cfg (dict, optional): Options of the walk that differ from the
            config's. Defaults to None.
        device (str, optional): See :class:`BaseRefiner`.
    """

    def __init__(self, config: str, checkpoint: str,
                 test_cfg: Optional[dict] = None,
                 device: Optional[str] = None) -> None:
        super().__init__(device)
        # The network as the file has it now: the file may change later.
        self.model_cfg = Config.fromfile(config).model.to_dict()
        self.model_cfg['test_cfg'] = dict(self.model_cfg.get('test_cfg', {}),
                                          **(test_cfg or {}))
        forget_pretrained(self.model_cfg)
        self.checkpoint = checkpoint
        self._model: Any = None

    def inputs(self) -> Dict[str, str]:
        """The weights, wherever they lie."""
        return dict(super().inputs(),
                    checkpoint=weights_digest(self.checkpoint))

    def refine(self, image: Tensor, maps: Tensor, labels: Tensor) -> Tensor:
        """See :class:`BaseRefiner`; which classes they are does not matter."""
        if self._model is None:
            self._model = self._load()
        # The preprocessor of the config takes what an image loader gives.
        data = self._model.data_preprocessor(
            dict(inputs=[image.flip(0)], data_samples=None))
        return self._model.refine(data['inputs'], [maps])[0]

    def _load(self) -> torch.nn.Module:
        model = MODELS.build(self.model_cfg)
        load_weights(model, self.checkpoint)
        return model.to(self.device or 'cpu').eval()
