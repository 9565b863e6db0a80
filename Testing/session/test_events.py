"""A topic cannot be misspelled: who tells or listens to one that is none hears of it at once."""

import pytest
from DiffuFuseMedLib.session.events import Events, Topic


@pytest.fixture
def events():
    return Events()


def test_a_listener_hears_its_topics_alone(events):
    heard = []
    events.listen(heard.append, Topic.RUN, Topic.CASE)
    events.tell(Topic.CASE, Topic.MESSAGE, Topic.RUN)
    assert heard == [Topic.CASE, Topic.RUN]


def test_a_listener_that_names_none_hears_all(events):
    heard = []
    events.listen(heard.append)
    events.tell(*Topic)
    assert heard == list(Topic)


def test_listeners_are_told_one_topic_after_the_other_in_the_order_in_which_they_came(events):
    heard = []
    events.listen(lambda topic: heard.append(("first", topic)))
    events.listen(lambda topic: heard.append(("second", topic)), Topic.RUN)
    events.tell(Topic.RUN, Topic.CASE)
    assert heard == [("first", Topic.RUN), ("second", Topic.RUN), ("first", Topic.CASE)]


@pytest.mark.parametrize("wrong", ["run", "nubmers", None, 3])
def test_what_is_no_topic_is_neither_told_nor_listened_to(events, wrong):
    heard = []
    events.listen(heard.append)
    with pytest.raises(TypeError, match=r"is no Topic: tell and listen by one of Topic\.CASE"):
        events.tell(Topic.RUN, wrong)
    with pytest.raises(TypeError, match="is no Topic"):
        events.listen(heard.append, wrong)
    assert heard == []  # not even the one beside it


def test_a_session_refuses_what_is_no_topic(told):
    with pytest.raises(TypeError, match="is no Topic"):
        told.listen(print, "case")
    with pytest.raises(TypeError, match="is no Topic"):
        told._context.tell("case")
