"""Heat maps of the same images at every validation."""
import glob

from mmwsss.apis import load_config, train


def test_heat_maps_reach_tensorboard(localizer_config, tmp_path):
    cfg = load_config(localizer_config, {
        'visualizer.vis_backends': [dict(type='TensorboardVisBackend')],
        'train_cfg.max_epochs': 1}, str(tmp_path / 'run'))
    train(cfg)
    from tensorboard.backend.event_processing.event_accumulator import (
        EventAccumulator,
    )
    [folder] = glob.glob(str(tmp_path / 'run' / '*' / 'vis_data'))
    events = EventAccumulator(folder)
    events.Reload()
    assert len([t for t in events.Tags()['images']
                if t.startswith('localization_')]) == 4
