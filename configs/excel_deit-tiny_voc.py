# ExCEL with the data, the stand-in for CLIP and the schedule of
# weclip_deit-tiny_voc.py. The published numbers are in excel_voc.py.
_base_ = 'weclip_deit-tiny_voc.py'
text_embeddings = 'work_dirs/clip_stand_in/text.npz'
model = dict(
    class_evidence=dict(
        _delete_=True, type='TextSurgery', num_layers=5,
        text_embeddings=text_embeddings,
        background={{_base_.background_words}}, classes_of='VOC12ClsDataset'),
    fusion=dict(num_levels=12),
    affinity=dict(normalize=True, gain=3.),
    spread=dict(threshold=0.79, layers=6, selected_layers=6),
    calibrate_after=500,
    predicted_after=800)
