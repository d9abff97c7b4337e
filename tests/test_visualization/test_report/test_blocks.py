"""What a report is made of."""
from mmwsss.visualization.report import Gallery


def test_the_script_gets_what_it_reads():
    gallery = Gallery(['background', 'cat'], [[0, 0, 0], [9, 9, 9]], ['val'],
                      [dict(name='a')], {})
    assert gallery.data == dict(classes=['background', 'cat'],
                                palette=[[0, 0, 0], [9, 9, 9]],
                                photos=[dict(name='a')])
