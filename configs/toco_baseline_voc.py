# ToCo's baseline (Table 3): the same ViT without the two contrasts.
_base_ = 'toco_voc.py'
model = dict(loss_weights=dict(ptc=0., ctc=0.))
