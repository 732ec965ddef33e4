from rolemesh import Policy, Resolver, audit, parse_policy

RING = """
role north
    grant a.one
    include east
role east
    grant b.two
    include south
role south
    grant c.three
    include west
role west
    grant d.four
    include north
"""

TWO_RINGS = """
role hub
    grant hub.use
    include left
    include right
role left
    grant left.use
    include hub
role right
    grant right.use
    include left
    include far
role far
    grant far.use
    include right
role guest
    include far
"""

ALL_OF_RING = {"a.one", "b.two", "c.three", "d.four"}


def test_every_role_of_a_ring_has_all_grants_in_one_resolver():
    resolver = Resolver(parse_policy(RING))
    for name in ["north", "east", "south", "west", "north"]:
        assert resolver.effective(name) == ALL_OF_RING, name


def test_the_answer_does_not_depend_on_what_was_asked_before():
    for first in ["north", "east", "south", "west"]:
        resolver = Resolver(parse_policy(RING))
        resolver.effective(first)
        assert resolver.effective("west") == ALL_OF_RING
        assert resolver.effective("south") == ALL_OF_RING


def test_audit_of_overlapping_circles():
    matrix = audit(parse_policy(TWO_RINGS))
    assert matrix.holders("hub.use") == ["hub", "left", "right", "far", "guest"]
    assert matrix.holders("far.use") == ["hub", "left", "right", "far", "guest"]
    assert matrix.render().splitlines()[3] == "right     x       x       x         X"


def test_inherited_after_other_questions():
    resolver = Resolver(parse_policy(TWO_RINGS))
    assert resolver.allows("guest", "hub.use")
    assert resolver.inherited("left") == {"far.use", "hub.use", "right.use"}
    assert resolver.allows_any(["left", "nobody"], "right.use")


def test_a_role_outside_a_circle_after_a_role_inside():
    policy = parse_policy(TWO_RINGS)
    resolver = Resolver(policy)
    resolver.effective("hub")
    assert resolver.effective("guest") == {"far.use", "hub.use", "left.use", "right.use"}


def test_opening_a_circle_is_noticed():
    policy = parse_policy(RING)
    resolver = Resolver(policy)
    resolver.effective("north")
    policy.exclude("west", "north")
    assert resolver.effective("west") == {"d.four"}
    assert resolver.effective("south") == {"c.three", "d.four"}
    policy.include("west", "south")
    assert resolver.effective("west") == {"c.three", "d.four"}
    assert resolver.effective("south") == {"c.three", "d.four"}


def test_a_long_chain_without_circles():
    policy = Policy()
    for number in range(40):
        policy.add(f"r{number}")
        policy.grant(f"r{number}", f"p.n{number}")
        if number:
            policy.include(f"r{number}", f"r{number - 1}")
    assert len(Resolver(policy).effective("r39")) == 40
