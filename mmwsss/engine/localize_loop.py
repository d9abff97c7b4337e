"""Loops of the Runner in which a model localizes."""
from typing import Any, Dict, List, Optional, Sequence, Union

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.dist import all_gather_object
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner, ValLoop, autocast
from mmseg.structures import SegDataSample
from torch import Tensor
from torch.utils.data import DataLoader

from mmwsss.registry import LOOPS

from .map_writer import MapWriter


@LOOPS.register_module()
class LocalizeLoop(BaseLoop):
    """A test loop that writes the localization maps of every image.

    Maps of a pipeline that resizes photos come back to the photo's size. The
    model's mode is 'localize', see :class:`~mmwsss.models.BaseLocalizer`.

    Args:
        runner (Runner): The Runner.
        dataloader (DataLoader | dict): The images; the processes of a
            distributed run share them.
        evaluator (object, optional): Unused; part of mmengine's interface.
        **writer: See :class:`MapWriter`: ``out_dir``, ``refiners``,
            ``num_workers``, ``stride``, ``dtype``, ``max_side``, ``lenient``.
    """

    def __init__(self,
                 runner: Runner,
                 dataloader: Union[DataLoader, Dict],
                 evaluator: Optional[object] = None,
                 **writer: Any) -> None:
        super().__init__(runner, dataloader)
        self.writer = MapWriter(**writer)

    def run(self) -> dict:
        """Localize and write; returns the number of images of all processes.

        Returns:
            dict: ``maps_written``.
        """
        self.runner.call_hook('before_test')
        self.runner.call_hook('before_test_epoch')
        self.runner.model.eval()
        try:
            count = sum(self.run_iter(index, batch)
                        for index, batch in enumerate(self.dataloader))
            self.writer.finish()
        finally:
            self.writer.stop()
        # Each process waits here until all maps are there.
        metrics = dict(maps_written=sum(all_gather_object(count)))
        self.runner.call_hook('after_test_epoch', metrics=metrics)
        self.runner.call_hook('after_test')
        return metrics

    def run_iter(self, index: int, batch: dict) -> int:
        """Localize a batch, hand its maps to the writer, count its images."""
        self.runner.call_hook('before_test_iter', batch_idx=index,
                              data_batch=batch)
        samples = localized(self.runner.model, batch)
        for sample in samples:
            scores = None
            if 'pred_label' in sample:
                scores = sample.pred_label.score.float().cpu().numpy()
            self.writer.write(
                sample.sample_id, sample.img_path,
                _at_photo_size(sample.pred_maps.data, sample.ori_shape),
                sample.pred_maps.labels, scores)
        self.runner.call_hook('after_test_iter', batch_idx=index,
                              data_batch=batch, outputs=samples)
        return len(samples)


@LOOPS.register_module()
class LocalizeValLoop(ValLoop):
    """A validation loop whose metrics see ``pred_maps`` as well.

    For ``val_cfg=dict(type='LocalizeValLoop')`` with a ``ScorerMetric`` among
    the evaluators. Localizing takes longer than classifying.
    """

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: dict) -> None:
        """Localize a batch and hand it to the metrics."""
        self.runner.call_hook('before_val_iter', batch_idx=idx,
                              data_batch=data_batch)
        with autocast(enabled=self.fp16):
            outputs = localized(self.runner.model, data_batch)
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self.runner.call_hook('after_val_iter', batch_idx=idx,
                              data_batch=data_batch, outputs=outputs)


@torch.no_grad()
def localized(model: Any, batch: dict) -> List[SegDataSample]:
    """Samples of a batch with their ``pred_maps``.

    Args:
        model (BaseModel): A localizer or an affinity network.
        batch (dict): What the data loader gives.

    Returns:
        list[SegDataSample]: On the model's device.
    """
    if is_model_wrapper(model):
        model = model.module
    return model(**model.data_preprocessor(batch, False), mode='localize')


def _at_photo_size(maps: Tensor, size: Sequence[int]) -> np.ndarray:
    """Maps (K, h, w) of a photo that the pipeline has resized, (K, H, W)."""
    maps = maps.float()
    if len(maps) and tuple(maps.shape[1:]) != tuple(size):
        maps = F.interpolate(maps[None], tuple(size), mode='bilinear',
                             align_corners=False, antialias=True)[0]
    return maps.cpu().numpy().reshape(-1, *size)
