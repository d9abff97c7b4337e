default_scope = 'mmwsss'
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))
randomness = dict(seed=0)
log_level = 'INFO'
load_from = None
resume = False
# Photos with a longer side are made smaller, so that memory and time do not
# follow the camera; maps and masks have the photo's own size all the same.
# None: every photo at its own size, as in the papers.
max_side = None
# Whether photos are taken that can be decoded though they show signs of
# damage, such as lost bytes.
lenient = False

vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='mmseg.SegLocalVisualizer', vis_backends=vis_backends)
