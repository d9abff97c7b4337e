# ExCEL (CVPR 2025) on PASCAL VOC 2012. Numbers: its published code.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/voc12_frozen_clip.py',
    '_base_/generation.py', '_base_/models/excel.py',
    '_base_/schedules/frozen_clip.py', '_base_/texts/voc12.py'
]
# Descriptions of each class, their clusters and what each class adopts of
# them: tools/extract_text_embeddings.py reads these three.
text_attributes = 'data/attributes_voc12.json'
text_clusters = 112
text_embeddings = 'data/text_embeddings_excel_voc12.npz'
model = dict(
    class_evidence=dict(
        text_embeddings=text_embeddings, background=_base_.background_words,
        classes_of='VOC12ClsDataset'),
    spread=dict(threshold=0.79, layers=6),
    refine_after=14000,
    calibrate_after=14000,
    predicted_after=24000)
tta_pipeline = _base_.square_views
optim_wrapper = dict(optimizer=dict(lr=1e-3))
train_cfg = dict(max_iters=30000, val_interval=2000)
