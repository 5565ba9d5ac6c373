"""What a change of a WSDL means: bindings, messages and each rule of the XML types, in a request and in an answer, with both places."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from lgsp.cli import app
from lgsp.config import HOME
from lgsp.contract.diff.files import compare_contracts
from lgsp.errors import ContractError
from lgsp.policy.compatibility import SEVERITIES, Severity, Side

SPACE = "http://land.example/v1"
TYPE = "<xs:sequence><xs:element name='a' type='xs:string'/></xs:sequence>"


def wsdl(content=TYPE, *, extra="", action="urn:find", space=SPACE, form="qualified", binding="", output="<w:output message='t:Out'/>"):
    """A WSDL whose request and answer hold the same type."""
    reply = "<w:output><s:body use='literal'/></w:output>" if output else ""
    return f"""<w:definitions xmlns:w='http://schemas.xmlsoap.org/wsdl/' xmlns:s='http://schemas.xmlsoap.org/wsdl/soap/'
  xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:t='{space}' targetNamespace='{space}'>
 <w:types><xs:schema targetNamespace='{space}' elementFormDefault='{form}'>
  <xs:complexType name='T'>{content}</xs:complexType>
  {extra}
  <xs:element name='find' type='t:T'/>
  <xs:element name='found' type='t:T'/>
 </xs:schema></w:types>
 <w:message name='In'><w:part name='p' element='t:find'/></w:message>
 <w:message name='Out'><w:part name='p' element='t:found'/></w:message>
 <w:portType name='PT'>
  <w:operation name='find'><w:input message='t:In'/>{output}</w:operation>
 </w:portType>
 <w:binding name='B' type='t:PT'><s:binding style='document' transport='http://schemas.xmlsoap.org/soap/http'/>
  <w:operation name='find'><s:operation soapAction='{action}'/><w:input><s:body use='literal'/></w:input>{reply}</w:operation>{binding}
 </w:binding>
 <w:service name='S'><w:port name='P' binding='t:B'><s:address location='http://land.example/'/></w:port></w:service>
</w:definitions>"""


def sequence(*elements):
    return f"<xs:sequence>{''.join(elements)}</xs:sequence>"


def element(name, kind="xs:string", **attributes):
    more = " ".join(f"{key}='{value}'" for key, value in attributes.items())
    return f"<xs:element name='{name}' type='{kind}' {more}/>"


def of(*facets, base="xs:string"):
    return (
        f"<xs:sequence><xs:element name='a'><xs:simpleType><xs:restriction base='{base}'>{''.join(facets)}"
        "</xs:restriction></xs:simpleType></xs:element></xs:sequence>"
    )


def facet(name, value):
    return f"<xs:{name} value='{value}'/>"


def choice(*names):
    return f"<xs:choice>{''.join(map(element, names))}</xs:choice>"


@pytest.fixture
def compared(tmp_path):
    def compare(before, after):
        for name, text in (("base", before), ("revision", after)):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "registry.wsdl").write_text(text, encoding="utf-8")
        return compare_contracts(tmp_path / "base" / "registry.wsdl", tmp_path / "revision" / "registry.wsdl").changes

    return compare


A, B = element("a"), element("b")
CASES = {
    "a new element that must be there": (sequence(A), sequence(A, B), "field-added-required", "/b"),
    "a new element": (sequence(A), sequence(A, element("b", minOccurs=0)), "field-added-to-closed", "/b"),
    "an element that is gone": (sequence(A, B), sequence(A), "field-refused", "/b"),
    "an element that must be there now": (sequence(element("a", minOccurs=0)), sequence(A), "field-required", "/a"),
    "an element that may be absent now": (sequence(A), sequence(element("a", minOccurs=0)), "field-optional", "/a"),
    "one becomes many": (sequence(A), sequence(element("a", maxOccurs="unbounded")), "one-to-many", "/a"),
    "many become one": (sequence(element("a", maxOccurs=5)), sequence(A), "many-to-one", "/a"),
    "fewer at most": (sequence(element("a", maxOccurs="unbounded")), sequence(element("a", maxOccurs=5)), "limit-tightened", "/a"),
    "more at least": (
        sequence(element("a", minOccurs=1, maxOccurs=9)),
        sequence(element("a", minOccurs=2, maxOccurs=9)),
        "limit-tightened",
        "/a",
    ),
    "nil allowed": (sequence(A), sequence(element("a", nillable="true")), "type-widened", "/a"),
    "nil refused": (sequence(element("a", nillable="true")), sequence(A), "type-narrowed", "/a"),
    "another order": (sequence(A, B), sequence(B, A), "order-changed", ""),
    "any order": (sequence(A, B), f"<xs:choice maxOccurs='9'>{A}{B}</xs:choice>", "order-freed", ""),
    "a branch less": (choice("a", "b", "c"), choice("a", "b"), "alternative-removed", ""),
    "a branch more": (choice("a", "b"), choice("a", "b", "c"), "alternative-added", ""),
    "only one of two": (sequence(element("a", minOccurs=0), element("b", minOccurs=0)), choice("a", "b"), "rule-added", ""),
    "a whole number where a number was": (sequence(element("a", "xs:decimal")), sequence(element("a", "xs:int")), "type-narrowed", "/a"),
    "any text where a number was": (sequence(element("a", "xs:int")), sequence(A), "type-widened", "/a"),
    "a date where a number was": (sequence(element("a", "xs:int")), sequence(element("a", "xs:date")), "type-changed", "/a"),
    "an object where a text was": (sequence(A), sequence(element("a", "t:Inner")), "type-changed", "/a"),
    "a code that is gone": (
        of(facet("enumeration", "mới"), facet("enumeration", "cũ")),
        of(facet("enumeration", "mới")),
        "value-removed",
        "/a",
    ),
    "a new code": (of(facet("enumeration", "1")), of(facet("enumeration", "1"), facet("enumeration", "2")), "value-added", "/a"),
    "codes where any text was": (of(), of(facet("enumeration", "1")), "values-limited", "/a"),
    "any text where codes were": (of(facet("enumeration", "1")), of(), "values-freed", "/a"),
    "a shorter text": (of(facet("maxLength", 20)), of(facet("maxLength", 10)), "limit-tightened", "/a"),
    "a lower minimum": (
        of(facet("minInclusive", 5), base="xs:int"),
        of(facet("minInclusive", 1), base="xs:int"),
        "limit-loosened",
        "/a",
    ),
    "a length where there was none": (of(), of(facet("length", 12)), "limit-tightened", "/a"),
    "a new pattern": (of(), of(facet("pattern", "[0-9]{12}")), "rule-added", "/a"),
    "another pattern": (of(facet("pattern", "[0-9]{9}")), of(facet("pattern", "[0-9]{12}")), "rule-changed", "/a"),
    "no pattern any more": (of(facet("pattern", "[0-9]{9}")), of(), "rule-removed", "/a"),
    "other elements allowed": (
        sequence(A),
        sequence(A, "<xs:any minOccurs='0' maxOccurs='9' namespace='##other' processContents='skip'/>"),
        "other-fields-allowed",
        "",
    ),
    "an attribute more": (sequence(A), sequence(A) + "<xs:attribute name='n' use='required'/>", "field-added-required", "/@n"),
    "an attribute less": (sequence(A) + "<xs:attribute name='n'/>", sequence(A), "field-refused", "/@n"),
    "another default": (sequence(element("a", default="1")), sequence(element("a", default="2")), "default-changed", "/a"),
    "a fixed value": (sequence(A), sequence(element("a", fixed="1")), "values-limited", "/a"),
    "inside of another type": (sequence(element("a", "t:Inner")), sequence(element("a", "t:Other")), "field-required", "/a/b"),
}
INNER = (
    f"<xs:complexType name='Inner'>{sequence(element('b', minOccurs=0))}</xs:complexType>"
    f"<xs:complexType name='Other'>{sequence(B)}</xs:complexType>"
)


@pytest.mark.parametrize("case", CASES)
def test_a_change_of_a_type_is_told_on_both_sides_with_its_severity_and_its_places(compared, case):
    before, after, rule, pointer = CASES[case]

    found = [change for change in compared(wsdl(before, extra=INNER), wsdl(after, extra=INNER)) if change.rule == rule]

    assert {(each.side, each.severity, each.pointer) for each in found} == {
        (side, severity, pointer) for side, severity in zip(Side, SEVERITIES[rule], strict=True)
    }
    assert all(each.base_place.startswith("registry.wsdl:") and each.revision_place.startswith("registry.wsdl:") for each in found)


def told(changes):
    return {(each.rule, each.side.value, each.severity.value) for each in changes}


def test_the_same_contract_has_no_changes(compared):
    assert compared(wsdl(), wsdl()) == []


def test_an_action_a_namespace_and_an_answer_that_is_gone_break(compared):
    assert told(compared(wsdl(), wsdl(action="urn:search"))) == {("action-changed", "request", "breaking")}
    assert told(compared(wsdl(), wsdl(output=""))) == {("reply-removed", "answer", "breaking")}
    assert told(compared(wsdl(), wsdl(space="http://land.example/v2"))) == {
        ("namespace-changed", "request", "breaking"),
        ("namespace-changed", "answer", "breaking"),
    }


def test_element_form_default_is_told_once_a_side(compared):
    found = compared(wsdl(sequence(A, B)), wsdl(sequence(A, B), form="unqualified"))

    assert [(each.rule, each.side.value, each.pointer) for each in found] == [
        ("namespace-changed", "request", "/a"),
        ("namespace-changed", "answer", "/a"),
    ]


def test_an_operation_that_is_gone_breaks_and_its_place_is_told(compared):
    more = "<w:operation name='count'><s:operation soapAction='urn:count'/><w:input><s:body use='literal'/></w:input></w:operation>"
    two = wsdl(binding=more).replace("</w:portType>", "<w:operation name='count'><w:input message='t:In'/></w:operation></w:portType>")

    (gone,), (added,) = compared(two, wsdl()), compared(wsdl(), two)

    assert (gone.rule, gone.severity, gone.operation, gone.revision_place) == ("operation-removed", Severity.BREAKING, "count", "")
    assert gone.base_place == "registry.wsdl:15"
    assert (added.rule, added.severity) == ("operation-added", Severity.SAFE)


def test_types_that_hold_themselves_end(compared):
    tree = sequence(element("a"), element("child", "t:T", minOccurs=0))

    assert told(compared(wsdl(tree), wsdl(tree.replace("name='a'", "name='a' minOccurs='0'")))) == {
        ("field-optional", "request", "safe"),
        ("field-optional", "answer", "breaking"),
    }


def test_the_projects_own_wsdl_is_the_same_as_itself():
    path = HOME / "contracts" / "wsdl" / "population" / "v1" / "population.wsdl"

    assert compare_contracts(path, path).changes == []


def test_a_wsdl_and_an_openapi_document_are_not_compared(tmp_path):
    (tmp_path / "a.wsdl").write_text(wsdl(), encoding="utf-8")
    (tmp_path / "b.yaml").write_text("openapi: 3.1.0", encoding="utf-8")

    with pytest.raises(ContractError) as caught:
        compare_contracts(tmp_path / "a.wsdl", tmp_path / "b.yaml")

    (finding,) = caught.value.findings
    assert (finding.file, finding.rule) == ("b.yaml", "kind")
    assert "is an OpenAPI document, and a.wsdl is a WSDL" in finding.reason


def test_the_command_tells_each_change_with_both_places_and_exits_1_where_something_breaks(tmp_path):
    for name, text in (("base.wsdl", wsdl()), ("revision.wsdl", wsdl(sequence(A, B)))):
        (tmp_path / name).write_text(text, encoding="utf-8")

    done = CliRunner().invoke(app, ["diff", str(tmp_path / "base.wsdl"), str(tmp_path / "revision.wsdl")])
    as_json = json.loads(CliRunner().invoke(app, ["diff", str(tmp_path / "base.wsdl"), str(tmp_path / "revision.wsdl"), "--json"]).stdout)

    assert done.exit_code == 1
    assert "find request /b: is new and must be there [field-added-required] (base.wsdl:4 -> revision.wsdl:4)" in done.stdout
    assert (as_json["breaking"], as_json["needs_new_major"]) == (1, True)


def test_a_broken_wsdl_is_told_with_its_place(tmp_path):
    (tmp_path / "a.wsdl").write_text(wsdl(), encoding="utf-8")
    (tmp_path / "b.wsdl").write_text(wsdl(sequence(element("a", "t:Nowhere"))), encoding="utf-8")

    done = CliRunner().invoke(app, ["diff", str(tmp_path / "a.wsdl"), str(tmp_path / "b.wsdl")])

    assert done.exit_code == 2
    assert "b.wsdl:4" in done.stdout
