"""``--lenient`` reaches every pipeline, and leaves maps' settings alone."""
from mmengine.config import Config

from mmwsss.apis.lenient import take_damaged_photos


def test_every_loader_but_what_maps_are_known_by():
    step = dict(type='LoadPhoto')
    cfg = Config(dict(
        train_dataloader=dict(dataset=dict(pipeline=[step])),
        tta_pipeline=[dict(type='TestTimeAug', transforms=[[step]])],
        val_dataloader=None, localize_pipeline=[step]))
    take_damaged_photos(cfg)
    assert cfg.train_dataloader.dataset.pipeline[0].lenient
    assert cfg.tta_pipeline[0].transforms[0][0].lenient
    assert cfg.lenient and 'lenient' not in cfg.localize_pipeline[0]
