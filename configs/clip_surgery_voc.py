# The static maps of ExCEL (CVPR 2025) on PASCAL VOC 2012: no training, no
# gradients.
_base_ = 'clip_es_voc.py'
text_embeddings = 'data/text_embeddings_clip_es_voc12.npz'
model = dict(
    class_evidence=dict(
        _delete_=True, type='TextSurgery', num_layers=5,
        text_embeddings=text_embeddings,
        background={{_base_.background_words}}, classes_of='VOC12ClsDataset'),
    spread=dict(threshold=0.79, layers=6))
