"""Processes of Linux, as /proc shows them."""


def children(pid):
    """Processes of a parent, the first ones before theirs."""
    try:
        with open(f'/proc/{pid}/task/{pid}/children') as file:
            found = [int(child) for child in file.read().split()]
    except FileNotFoundError:
        return []
    return found + [one for child in found for one in children(child)]


def is_alive(pid):
    """Whether it is there, and more than a number that nobody asked for."""
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False
