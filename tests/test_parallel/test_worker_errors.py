"""What a data loader's worker raises is told in its own words."""
import pytest
from torch.utils.data import DataLoader

from mmwsss.parallel.worker_errors import in_own_words
from mmwsss.problems import ConfigError, DataError


class Failing:
    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 1

    def __getitem__(self, index):
        try:
            raise OSError('first')
        except OSError as cause:
            raise self.error from cause


@pytest.mark.parametrize('error', [
    DataError('a.jpg: damaged'), DataError('two problems\n  a\n  b'),
    ConfigError('wrong'), FileNotFoundError('no such file')])
@pytest.mark.parametrize('workers', [0, 1])
def test_the_message_is_the_workers(error, workers):
    with pytest.raises(type(error)) as caught:
        next(iter(DataLoader(Failing(error), num_workers=workers)))
    told = in_own_words(caught.value)
    assert type(told) is type(error) and str(told) == str(error)
