# MMCT with the image-language context (paper, abstract). It needs one CLIP
# embedding a photo, from tools/extract_image_embeddings.py.
_base_ = 'mmct_voc.py'
image_embeddings = 'data/image_embeddings_voc12.npz'
model = dict(textual_tokens=dict(image_context=True))
train_dataloader = dict(dataset=dict(image_embeddings=image_embeddings))
val_dataloader = dict(dataset=dict(image_embeddings=image_embeddings))
