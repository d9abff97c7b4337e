"""A pickle that would fill the memory is refused before it does."""
import pickle
import zipfile

import pytest
import torch

from mmwsss.files.checkpoints import read_checkpoint
from mmwsss.files.pickle_scan import check_pickle
from mmwsss.problems import DataError


def doubled(times, codec='hex'):
    """A pickle of bytes that are encoded again and again."""
    body = b'X\x05\x00\x00\x00aaaaaX\x06\x00\x00\x00latin1\x86R'
    name = codec.encode()
    step = b'X' + len(name).to_bytes(4, 'little') + name + b'\x86R'
    return (b'\x80\x02' + b'c_codecs\nencode\n' * (times + 1) + body
            + step * times + b'.')


@pytest.mark.parametrize('codec', ['hex', 'HEX_codec', 'base64', 'quopri'])
def test_growing_codecs(tmp_path, codec):
    path = tmp_path / 'bomb.pth'
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('archive/data.pkl', doubled(60, codec))
        archive.writestr('archive/version', '3')
    with pytest.raises(DataError, match='bomb.pth.*the codec'):
        read_checkpoint(path)


def test_an_archive_that_unpacks_to_much_more(tmp_path):
    path = tmp_path / 'bomb.pth'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('archive/data.pkl', b'\x80\x02}.')
        archive.writestr('archive/data/0', bytes(200 * 2**20))
    with pytest.raises(pickle.UnpicklingError, match='unpack to 209,715,2'):
        check_pickle(str(path))


@pytest.mark.parametrize('zipped', [True, False])
def test_plain_files_pass(tmp_path, zipped):
    path = str(tmp_path / 'plain.pth')
    torch.save(dict(hex=torch.ones(3), latin1='hex'), path,
               _use_new_zipfile_serialization=zipped)
    check_pickle(path)
