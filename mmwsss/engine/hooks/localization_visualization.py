"""Heat maps of the same validation images at every validation."""
from typing import List, Optional

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmwsss.files.photos import read_photo
from mmwsss.registry import HOOKS
from mmwsss.visualization import heat_map_row, picture_sheet


@HOOKS.register_module()
class LocalizationVisualizationHook(Hook):
    """Write heat-map overlays to the visualizer's backends.

    At every validation the localization maps of ``num_images`` images, spread
    evenly over the validation set, go to every backend of the run's
    visualizer (local files, TensorBoard, ...), one row an image.

    Args:
        num_images (int): How many images are shown. Defaults to 4.
    """

    def __init__(self, num_images: int = 4) -> None:
        self.num_images = num_images
        self._batches: List[dict] = []

    def before_val(self, runner: Runner) -> None:
        """Choose and load the images once."""
        if self._batches or self.num_images < 1:
            return
        loader = runner.val_dataloader
        dataset = loader.dataset
        count = min(self.num_images, len(dataset))
        step = len(dataset) / max(count, 1)
        self._batches = [
            loader.collate_fn([dataset[int(i * step)]]) for i in range(count)
        ]

    def after_val_epoch(self,
                        runner: Runner,
                        metrics: Optional[dict] = None) -> None:
        """Localize and draw; only the main process draws."""
        if runner.rank != 0:
            return
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        classes = runner.val_dataloader.dataset.metainfo['classes'][1:]
        for batch in self._batches:
            data = model.data_preprocessor(
                dict(inputs=list(batch['inputs']),
                     data_samples=[s.clone() for s in batch['data_samples']]))
            maps = model.localize(**data)
            for sample, sample_maps in zip(data['data_samples'], maps):
                labels = sample.gt_label.label_onehot.nonzero().flatten()
                row = heat_map_row(
                    read_photo(sample.img_path, lenient=True),
                    sample_maps.cpu().numpy(),
                    [classes[i] for i in labels.tolist()])
                runner.visualizer.add_image(
                    f'localization_{sample.sample_id}', picture_sheet([row]),
                    step=runner.iter)
