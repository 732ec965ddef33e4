import pytest

from rolemesh import PolicySyntaxError, Resolver, UnknownRole, audit, explain, parse_policy

COMPANY = """
role staff
    grant calendar.read

role support            # support and sales stand in for each other
    grant ticket.read
    include staff
    include sales

role sales
    grant customer.read
    include support

role lead
    grant ticket.close
    include sales
"""


def test_parse_keeps_the_order_of_roles():
    assert [role.name for role in parse_policy(COMPANY)] == ["staff", "support", "sales", "lead"]


def test_parse_reports_the_line_of_an_unknown_role():
    with pytest.raises(PolicySyntaxError, match="line 3: role 'a' includes unknown role 'b'"):
        parse_policy("role a\n  grant x.y\n  include b\n")


def test_a_role_has_its_own_and_its_included_grants():
    resolver = Resolver(parse_policy(COMPANY))
    assert resolver.effective("staff") == {"calendar.read"}
    assert resolver.effective("lead") == {
        "calendar.read",
        "customer.read",
        "ticket.close",
        "ticket.read",
    }


def test_roles_of_a_circle_can_be_resolved():
    resolver = Resolver(parse_policy(COMPANY))
    assert resolver.effective("support") == {"calendar.read", "customer.read", "ticket.read"}


def test_revoking_is_noticed():
    policy = parse_policy(COMPANY)
    resolver = Resolver(policy)
    assert resolver.allows("lead", "calendar.read")
    policy.revoke("staff", "calendar.read")
    assert not resolver.allows("lead", "calendar.read")


def test_unknown_role():
    with pytest.raises(UnknownRole, match="there is no role 'ghost'"):
        Resolver(parse_policy(COMPANY)).effective("ghost")


def test_explain_names_the_shortest_chain():
    policy = parse_policy(COMPANY)
    assert explain(policy, "lead", "calendar.read") == ["lead", "sales", "support", "staff"]
    assert explain(policy, "staff", "ticket.read") == []


def test_audit_matrix():
    matrix = audit(parse_policy(COMPANY))
    assert matrix.permissions == (
        "calendar.read",
        "customer.read",
        "ticket.close",
        "ticket.read",
    )
    assert matrix.cell("support", "customer.read") == "inherited"
    assert matrix.cell("lead", "ticket.close") == "own"
    assert matrix.cell("staff", "ticket.read") == ""


def test_audit_lists_everybody_who_can_read_tickets():
    matrix = audit(parse_policy(COMPANY))
    assert matrix.holders("ticket.read") == ["support", "sales", "lead"]
