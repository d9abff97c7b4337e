"""Mmengine's Runner with whole files and checked weights."""
import os
import os.path as osp
from typing import Any, Callable, Dict, Optional, Sequence, Union

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, get_file_backend
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmwsss.files.atomic import put_in_place, remedy_of, temporary_name
from mmwsss.files.checkpoints import read_checkpoint, take_weights
from mmwsss.files.run_folder import newest_checkpoint, require_training_state
from mmwsss.parallel.orphans import workers_end_with_parent
from mmwsss.problems import DataError, one_line

from .console import keep_records_off

MapLocation = Union[str, Callable]


class CheckedRunner(Runner):
    """Saves checkpoints whole, and loads them through the one door.

    A checkpoint is written under a temporary name and renamed. What
    ``load_from`` and ``resume`` name is read without running code, and fits
    the model and the classes or is an error.
    """

    _resume: bool
    _load_from: Optional[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._read: Dict[str, dict] = {}  # what is loaded next
        super().__init__(*args, **kwargs)

    @staticmethod
    def build_dataloader(*args: Any, **kwargs: Any) -> DataLoader:
        """A loader whose workers end with this process."""
        loader = Runner.build_dataloader(*args, **kwargs)
        if isinstance(loader, DataLoader):
            workers_end_with_parent(loader)
        return loader

    def take_datasets(self, datasets: Dict[str, Any]) -> None:
        """Use data sets that are built and checked.

        Args:
            datasets (dict): 'train' and 'val' -> the data set.
        """
        for name, dataset in datasets.items():
            loader = getattr(self, f'_{name}_dataloader')
            setattr(self, f'_{name}_dataloader',
                    dict(loader, dataset=dataset))

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """The logger; long records are for its file alone."""
        logger = super().build_logger(*args, **kwargs)
        keep_records_off(logger)
        return logger

    def test_in_batches(self, batches: Sequence[Sequence[int]]) -> None:
        """Let the test's data loader give these batches.

        They are not in the config, which is logged whole.

        Args:
            batches (Sequence[Sequence[int]]): Indices of the data set.
        """
        loader: Any = self._test_dataloader
        loader.batch_sampler = dict(type='FixedBatchSampler', batches=batches)

    def _init_model_weights(self) -> None:
        """Initialise, unless a checkpoint to go on from holds all weights.

        So a resumed training does not ask for the weights that it began with.
        """
        goes_on: bool = self._resume
        if goes_on and self._load_from is None:
            found = newest_checkpoint(self.work_dir)
            if found is None:
                self.logger.info(f'{self.work_dir}: no checkpoint to go on '
                                 'from; training begins at its start')
                self._resume = goes_on = False
            else:
                path, self._read[path] = found
                self._load_from = path
        if not goes_on:
            super()._init_model_weights()

    def load_checkpoint(self, filename: str, map_location: MapLocation = 'cpu',
                        strict: bool = True, revise_keys: Any = None) -> dict:
        """Weights into the model; see :func:`take_weights`.

        Args:
            filename (str): Path or URL.
            map_location: Not used: what is loaded goes where the model is.
            strict (bool): Not used: all has to fit.
            revise_keys: Not used.

        Returns:
            dict: The whole checkpoint.

        Raises:
            FileNotFoundError: If there is no such file.
            DataError: If it cannot be read or does not fit.
        """
        checkpoint = self._read.pop(filename, None)
        if checkpoint is None:
            checkpoint = read_checkpoint(filename)
        # Old ones hold a config there, and mmengine would run it.
        if isinstance(checkpoint.get('meta'), dict):
            checkpoint['meta'].pop('config', None)
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        metainfo = getattr(self.train_dataloader.dataset, 'metainfo', {})
        take_weights(self.model, checkpoint, filename,
                     metainfo.get('classes') or ())
        self._has_loaded = True
        return checkpoint

    def resume(self, filename: str, resume_optimizer: bool = True,
               resume_param_scheduler: bool = True,
               map_location: MapLocation = 'cpu') -> None:
        """Go on with a training run; arguments as mmengine's.

        Raises:
            FileNotFoundError: If there is no such file.
            DataError: If it is not of a training run, or of another one.
        """
        if filename not in self._read:
            self._read[filename] = read_checkpoint(filename)
        require_training_state(self._read[filename], filename)
        try:
            super().resume(filename, resume_optimizer, resume_param_scheduler,
                           map_location)
        except (AttributeError, IndexError, KeyError, RuntimeError, TypeError,
                ValueError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(
                f'checkpoint {filename}: its state of training does not fit '
                f'the config ({type(error).__name__}: {one_line(error)}). Use '
                'the config that it was trained with') from error

    def save_checkpoint(self, out_dir: str, filename: str,
                        file_client_args: Optional[dict] = None,
                        save_optimizer: bool = True,
                        save_param_scheduler: bool = True,
                        meta: Optional[dict] = None, by_epoch: bool = True,
                        backend_args: Optional[dict] = None) -> None:
        """Save; the file appears whole. Arguments as mmengine's.

        Raises:
            DataError: If it cannot be written, as when the disk is full.
        """
        path = osp.join(out_dir, filename)
        options: dict = dict(
            file_client_args=file_client_args, save_optimizer=save_optimizer,
            save_param_scheduler=save_param_scheduler, meta=meta,
            by_epoch=by_epoch, backend_args=backend_args)
        local = file_client_args is None and isinstance(
            get_file_backend(path, backend_args=backend_args), LocalBackend)
        if not local or not is_main_process():
            super().save_checkpoint(out_dir, filename, **options)
            return
        temporary = temporary_name(path)
        try:
            super().save_checkpoint(out_dir, osp.basename(temporary),
                                    **options)
            put_in_place(temporary, path)
        except OSError as error:
            raise DataError(
                f'checkpoint {path}: cannot be written ({error.strerror}). '
                f'The checkpoints before it are whole; {remedy_of(error)}, '
                'and go on with --resume (training) or the same command '
                '(pipeline)'
            ) from error
        finally:
            if osp.exists(temporary):
                os.remove(temporary)
