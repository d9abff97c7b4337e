# How tools/gen_pseudo.py runs and what it writes.
localize_workers = 2  # processes that load photos
localize_batch_size = 1  # photos of one size that go through together
refiners = []  # of the maps, in this order
# Processes that refine beside the network; 0: none. None: as many as CPU cores
# where there is a GPU, else 0.
refine_workers = None
map_stride = 1  # pixels of the photo per value stored
map_dtype = 'uint8'  # or 'float16'
