"""Names of weights in two codes, in one table that reads both ways."""
import re
from functools import cache
from typing import List, Optional, Tuple

# Pairs (their name, our name), of which the first that fits counts. A `*`
# stands for letters and digits; both names have the same number of them, in
# the same order. A name that ends with a dot, or is empty, stands for all
# names that begin with it.
NameTable = Tuple[Tuple[str, str], ...]

# DINO, DINOv2, DeiT and timm -> mmpretrain.
VIT_NAMES: NameTable = (
    ('blocks.*.norm1.', 'layers.*.ln1.'),
    ('blocks.*.norm2.', 'layers.*.ln2.'),
    ('blocks.*.mlp.fc1.', 'layers.*.ffn.layers.0.0.'),
    ('blocks.*.mlp.fc2.', 'layers.*.ffn.layers.1.'),
    ('blocks.*.ls1.gamma', 'layers.*.attn.gamma1.weight'),
    ('blocks.*.ls2.gamma', 'layers.*.ffn.gamma2.weight'),
    ('blocks.*.attn.', 'layers.*.attn.'),
    ('patch_embed.proj.', 'patch_embed.projection.'),
    ('norm.', 'ln1.'),
    ('cls_token', 'cls_token'),
    ('pos_embed', 'pos_embed'),
)


def rename(key: str, table: NameTable) -> Optional[str]:
    """The other name of a weight.

    Args:
        key (str): The name in one code.
        table (NameTable): Pairs of a name in that code and in the other.

    Returns:
        str, optional: The name in the other; None where the table has none.

    Example:
        >>> rename('blocks.7.norm1.bias', VIT_NAMES)
        'layers.7.ln1.bias'
    """
    for pattern, name in _compiled(table):
        match = pattern.match(key)
        if match:
            *parts, rest = match.groups()
            return name.replace('*', '{}').format(*parts) + rest
    return None


def find(key: str, table: NameTable) -> Optional[str]:
    """What a table says of a weight.

    Args:
        key (str): The name of a weight.
        table (NameTable): Pairs of a name and a text.

    Returns:
        str, optional: The text as it stands there; None if there is none.
    """
    for pattern, text in _compiled(table):
        if pattern.match(key):
            return text
    return None


def backwards(table: NameTable) -> NameTable:
    """The table from our names to theirs, where ``table`` is the opposite."""
    return tuple((ours, theirs) for theirs, ours in table)


def within(table: NameTable, theirs: str, ours: str) -> NameTable:
    """A table for weights that lie under another prefix in each code.

    Args:
        table (NameTable): Pairs (their name, our name) without prefixes.
        theirs (str): Their prefix, with its dot.
        ours (str): Our prefix, with its dot.

    Returns:
        NameTable: The pairs with prefixes.
    """
    return tuple((theirs + a, ours + b) for a, b in table)


@cache
def _compiled(table: NameTable) -> List[Tuple[re.Pattern[str], str]]:
    return [(re.compile(_pattern(name)), other) for name, other in table]


def _pattern(name: str) -> str:
    body = re.escape(name).replace(r'\*', '([0-9a-z]+)')
    rest = '(.*)' if name == '' or name.endswith('.') else '()'
    return f'{body}{rest}$'
