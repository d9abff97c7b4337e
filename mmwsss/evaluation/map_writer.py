"""Writing localization maps while the Runner's test loop goes on."""
import os.path as osp
from typing import Dict, List, Optional, Sequence

from mmengine.evaluator import BaseMetric

from mmwsss.datasets.map_files import write_map
from mmwsss.registry import METRICS


@METRICS.register_module()
class MapWriter(BaseMetric):
    """Writes each sample's ``pred_maps`` to ``out_dir/<sample_id>.npz``.

    It is a metric because the Runner hands every test sample, in every
    process of a distributed run, to its metrics.

    Args:
        out_dir (str): Folder for the maps.
        collect_device (str): 'cpu' or 'gpu'.
        prefix (str, optional): Unused; part of mmengine's interface.
    """

    default_prefix = 'localization'

    def __init__(self,
                 out_dir: str,
                 collect_device: str = 'cpu',
                 prefix: Optional[str] = None) -> None:
        super().__init__(collect_device, prefix)
        self.out_dir = out_dir

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Write the maps of a batch."""
        for sample in data_samples:
            maps = sample['pred_maps']
            write_map(
                osp.join(self.out_dir, sample['sample_id'] + '.npz'),
                maps['data'].cpu().numpy(), maps['labels'],
                scores=sample['pred_label']['score'].float().cpu().numpy())
            self.results.append(1)

    def compute_metrics(self, results: List[int]) -> Dict[str, int]:
        """The number of maps written."""
        return dict(maps_written=len(results))
