"""Checkpoints of which a whole one is there at every instant."""
import operator
import os.path as osp
from typing import Any, Dict, List, Optional

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook as _CheckpointHook
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmwsss.files.atomic import write_atomically
from mmwsss.registry import HOOKS

# In the message hub, and so in checkpoints. What begins with 'val' there would
# be logged with the scores.
_VALIDATED = 'iter_validated'


@HOOKS.register_module()
class CheckpointHook(_CheckpointHook):
    """Mmengine's hook, but what is old goes after what is new is whole.

    The new file, ``last_checkpoint`` and the removal of old files follow in
    this order, for the last and the best checkpoints; mmengine removes first.
    Files appear whole by :class:`mmwsss.engine.runner.CheckedRunner`.
    Of equally good checkpoints the later one is the best: a score of 100 on
    photos that are easy says nothing more, but training does.
    Checkpoints name the best one by its whole path: a run that goes on from a
    copy elsewhere leaves that of the first run alone, and a moved one finds
    its own.
    A training that goes on from a checkpoint first validates it where that was
    due and the checkpoint does not know of it, so that a kill between saving
    and validating changes no best checkpoint.
    Arguments are mmengine's.
    """

    rule_map = dict(greater=operator.ge, less=operator.le)

    def before_train(self, runner: Runner) -> None:
        """Find the folder, and what earlier runs kept in it."""
        super().before_train(runner)
        backend: Any = getattr(self, 'file_backend')  # noqa: B009
        self.file_backend: Any = _RemoveLater(backend)
        best: Optional[str] = getattr(self, 'best_ckpt_path', None)
        if best:
            self.best_ckpt_path: Optional[str] = self._here(best)
        bests: Dict[str, Optional[str]] = getattr(
            self, 'best_ckpt_path_dict', {})
        for score, path in bests.items():
            bests[score] = path and self._here(path)
        if self.save_best and self._lacks_validation(runner):
            runner.logger.info('The checkpoint to go on from is validated '
                               'first')
            runner.val_loop.run()

    def _here(self, path: str) -> str:
        """The file of this name in the run's own folder."""
        return self.file_backend.join_path(self.out_dir, osp.basename(path))

    def after_val_epoch(self, runner: Runner,
                        metrics: Optional[Dict[str, float]] = None) -> None:
        """Save if it is the best; note up to where training is validated."""
        runner.message_hub.update_info(_VALIDATED, runner.iter)
        super().after_val_epoch(runner, metrics)

    def _lacks_validation(self, runner: Runner) -> bool:
        """Whether training goes on from where a validation was due."""
        loop: Any = runner.train_loop
        by_epoch = isinstance(loop, EpochBasedTrainLoop)
        if runner.val_loop is None or by_epoch != self.by_epoch:
            return False
        step, last = ((loop.epoch, loop.max_epochs) if by_epoch else
                      (loop.iter, loop.max_iters))
        loop._decide_current_val_interval()
        return (step >= max(1, loop.val_begin)
                and (step % loop.val_interval == 0 or step == last)
                and runner.message_hub.runtime_info.get(
                    _VALIDATED) != runner.iter)

    def _save_checkpoint_with_step(self, runner: Runner, step: int,
                                   meta: dict) -> None:
        """Save, then note that it is the last, then remove old ones."""
        old: List[int] = []
        if self.max_keep_ckpts > 0:
            kept = [one for one in self.keep_ckpt_ids if one != step]
            # The file names the old ones, too: after a kill before their
            # removal, a resumed run removes them.
            runner.message_hub.update_info('keep_ckpt_ids', [*kept, step])
            old = kept[:max(0, len(kept) + 1 - self.max_keep_ckpts)]
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir, name, self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler, meta=meta,
            by_epoch=self.by_epoch, backend_args=self.backend_args,
            **self.args)
        if is_main_process():
            write_atomically(osp.join(runner.work_dir, 'last_checkpoint'),
                             str(self.last_ckpt).encode())
        if self.max_keep_ckpts > 0:
            self.keep_ckpt_ids.clear()
            self.keep_ckpt_ids.extend([*kept, step])  # drops the first ones
            runner.message_hub.update_info('keep_ckpt_ids',
                                           list(self.keep_ckpt_ids))
        for one in old:
            self.file_backend.remove(self.file_backend.join_path(
                self.out_dir, self.filename_tmpl.format(one)))
        self._remove_old()

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        """Save if it is the best; then remove the one before."""
        super()._save_best_checkpoint(runner, metrics)
        if self.save_best:
            self._remove_old()

    def _remove_old(self) -> None:
        """Remove what is old, now that what is new is whole."""
        best = getattr(self, 'best_ckpt_path', None)
        bests = getattr(self, 'best_ckpt_path_dict', {}).values()
        if is_main_process():
            self.file_backend.remove_now({self.last_ckpt, best, *bests})


class _RemoveLater:
    """A file backend that notes what to remove, and does it when asked."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.noted: List[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)

    def remove(self, path: str) -> None:
        """Note a file."""
        self.noted.append(path)

    rmtree = remove

    def remove_now(self, keep: set[Optional[str]]) -> None:
        """Remove what was noted and is still there."""
        while self.noted:
            path = self.noted.pop()
            if path in keep:
                continue
            if self.backend.isfile(path):
                self.backend.remove(path)
            elif self.backend.isdir(path):  # deepspeed's checkpoints
                self.backend.rmtree(path)
