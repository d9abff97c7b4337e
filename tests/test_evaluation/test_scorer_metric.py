"""Scorers of maps while a network is trained."""
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from shapes import SHAPES_LOCALIZER, write_config

from mmwsss.apis import load_config, train
from mmwsss.evaluation import ScorerMetric, ThresholdSweep
from mmwsss.files.maps import MapFile

NAMES = ('background', 'red', 'blue')


def sample(seed):
    torch.manual_seed(seed)
    return SegDataSample(
        pred_maps=PixelData(data=torch.rand(1, 8, 10),
                            metainfo=dict(labels=[seed % 2])),
        gt_sem_seg=PixelData(data=torch.randint(0, 3, (1, 8, 10))))


def test_numbers_are_the_scorers():
    metric = ScorerMetric(dict(type='ThresholdSweep'), prefix='maps')
    metric.dataset_meta = dict(classes=NAMES)
    samples = [sample(seed) for seed in range(4)]
    for start in (0, 2):
        metric.process({}, [one.to_dict()
                            for one in samples[start:start + 2]])
    scores = metric.evaluate(4)
    scorer = ThresholdSweep(classes=NAMES)
    want = scorer.report(sum(scorer.count(
        MapFile(torch.tensor(one.pred_maps.labels).numpy(),
                one.pred_maps.data.numpy(), (8, 10)),
        one.gt_sem_seg.data[0]) for one in samples))
    assert scores['maps/mIoU'] == want['mIoU']
    assert scores['maps/best_threshold'] == want['best_threshold']
    assert all(isinstance(value, (int, float)) for value in scores.values())


def test_in_the_runners_validation(shapes, tmp_path):
    config = write_config(tmp_path / 'config.py', SHAPES_LOCALIZER + '''
val_dataloader.update(dataset=dict(
    pipeline=[dict(type='LoadPhoto'),
              dict(type='mmseg.LoadAnnotations', imdecode_backend='pillow'),
              dict(type='PackImageLevelInputs')], **dataset))
val_evaluator = [
    dict(type='MultiLabelMAP'),
    dict(type='ScorerMetric', scorer=dict(type='PixelLocalization')),
    dict(type='ScorerMetric', scorer=dict(type='ThresholdSweep'),
         prefix='sweep')]
val_cfg = dict(type='LocalizeValLoop')
''', shapes)
    runner = train(load_config(config, {'train_cfg.max_epochs': 1},
                               str(tmp_path / 'run')))
    scores = runner.val_loop.run()
    assert 0 < scores['localization/PxAP'] <= 100
    assert 0 < scores['localization/pIoU'] <= 100
    assert 'multi-label/mAP' in scores
    assert 0 <= scores['sweep/best_threshold'] < 1
    assert 0 < scores['sweep/best_mIoU'] <= 100
