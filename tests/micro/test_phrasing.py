import re
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.errors import DataError, UnknownNameError
from codeglot.languages.natural import NAMES
from codeglot.micro.families.registry import BY_NAME
from codeglot.micro.grammar import Composition, Phrase
from codeglot.micro.phrasing import fill, natural_languages, read_table, say, slots, table
from tests.micro.test_families import compositions, some

ENGLISH = "en"
OTHERS = [code for code in natural_languages() if code != ENGLISH]
MOST_WORDS = 52
SOME_VARIANTS = 3


def texts(code: str) -> Iterator[tuple[str, str]]:
    for key, variants in table(code).items():
        for text in variants:
            yield key, text


def test_english_comes_first_and_every_code_is_a_known_one() -> None:
    assert natural_languages()[0] == ENGLISH
    assert set(natural_languages()) <= set(NAMES)


@pytest.mark.parametrize("code", OTHERS)
def test_every_language_has_the_keys_of_english_and_no_others(code: str) -> None:
    assert table(code).keys() == table(ENGLISH).keys()


@pytest.mark.parametrize("code", natural_languages())
def test_every_variant_has_the_slots_of_the_first_english_one(code: str) -> None:
    for key, text in texts(code):
        assert slots(text) == slots(table(ENGLISH)[key][0]), f"{key}: {text}"


@pytest.mark.parametrize("code", natural_languages())
def test_variants_differ_and_are_free_of_stray_braces_and_spaces(code: str) -> None:
    for key, variants in table(code).items():
        assert len(set(variants)) == len(variants), key
        for text in variants:
            assert text == text.strip() != "", key
            assert "  " not in text, key
            assert text.count("{") == text.count("}") == sum(text.count(f"{{{slot}}}") for slot in slots(text)), key


@pytest.mark.parametrize("code", natural_languages())
def test_sentences_end_as_sentences_and_clauses_do_not(code: str) -> None:
    for key, text in texts(code):
        is_sentence = not key.startswith(("if.", "value.")) and key != "sentences"
        if key != "sentences":
            assert text.endswith((".", "。", "।")) == is_sentence, f"{key}: {text}"


def test_english_has_three_ways_to_say_most_things() -> None:
    several = [key for key, variants in table(ENGLISH).items() if len(variants) >= SOME_VARIANTS]
    assert len(several) > 0.75 * len(table(ENGLISH))
    frames = ("take.list", "take.letters", "return.sum", "return.value", "let.value", "choose.result", "choose.each")
    assert set(frames) <= set(several)


@pytest.mark.parametrize("name", BY_NAME)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_every_composition_can_be_said_in_every_language(name: str, data: st.DataObject) -> None:
    composition = data.draw(compositions(name))
    variant = data.draw(st.integers(0, 10_000))
    code = data.draw(st.sampled_from(natural_languages()))
    lines = say(BY_NAME[name].phrase(composition), code, variant)
    assert lines
    for line in lines:
        assert line.strip()
        assert not {"{", "}", "\n"} & set(line)


@pytest.mark.parametrize("name", BY_NAME)
def test_english_prompts_are_short(name: str) -> None:
    for number, composition in enumerate(some(name, 150)):
        text = " ".join(say(BY_NAME[name].phrase(composition), ENGLISH, number))
        assert len(text.split()) <= MOST_WORDS, text


@pytest.mark.parametrize("name", BY_NAME)
def test_constants_are_told(name: str) -> None:
    rng = Random(name)
    for composition in some(name, 40):
        text = " ".join(say(BY_NAME[name].phrase(composition), rng.choice(natural_languages()), rng.randrange(99)))
        for part in composition.parts:
            assert all(str(constant) in text for constant in part.constants), text


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("code", natural_languages())
def test_parameters_are_called_by_their_names_as_words_of_their_own(code: str, name: str) -> None:
    for number, composition in enumerate(some(name, 12)):
        text = say(BY_NAME[name].phrase(composition), code, number)[0]
        for parameter in BY_NAME[name].function(composition).parameters:
            assert re.search(rf"(?<!\w){parameter.id}(?!\w)", text), text
            assert parameter.id.capitalize() not in re.findall(r"\w+", text) or parameter.id == "a", text


@pytest.mark.parametrize("code", natural_languages())
def test_names_and_numbers_do_not_touch_other_letters(code: str) -> None:
    for key, text in texts(code):
        if key != "sentences":
            for match in re.finditer(r"\{(x|y|a|b|k|m|low|high|items)\}", text):
                around = text[max(0, match.start() - 1) : match.start()] + text[match.end() : match.end() + 1]
                assert not any(letter.isalpha() for letter in around), f"{key}: {text}"


def test_german_noun_phrases_are_the_same_in_every_case_they_are_put_in() -> None:
    """Behind "durch" and "auf" a masculine one would change its article; feminine and neuter ones do not."""
    for key, text in texts("de"):
        if key.startswith("value."):
            assert text.split()[0] not in {"der", "den", "dem", "ein", "einen"}, f"{key}: {text}"


def test_different_compositions_are_said_differently() -> None:
    for code in natural_languages():
        seen: dict[str, Composition] = {}
        for name in BY_NAME:
            for composition in some(name, 60):
                text = say(BY_NAME[name].phrase(composition), code)[0]
                assert seen.setdefault(text, composition) == composition, f"{code}: {text}"


SUM = Phrase("sentences", (("first", Phrase("take.list", (("items", "xs"),))), ("rest", Phrase("return.sum"))))


def test_sentences_follow_each_other() -> None:
    assert say(SUM, ENGLISH) == ["Take the numbers in xs. Return their sum."]


def test_english_sentences_begin_with_a_capital_letter_and_parts_of_them_do_not() -> None:
    for key, text in texts(ENGLISH):
        is_part = key.startswith(("if.", "value.")) or key == "sentences"
        assert text[0].isupper() != is_part, f"{key}: {text}"


def test_a_variant_is_the_same_each_time_and_variants_differ() -> None:
    said = {number: say(SUM, ENGLISH, number)[0] for number in range(60)}
    assert said == {number: say(SUM, ENGLISH, number)[0] for number in range(60)}
    num_ways = len(table(ENGLISH)["take.list"]) * len(table(ENGLISH)["return.sum"])
    assert len(set(said.values())) == num_ways


def test_an_unknown_language_is_named() -> None:
    with pytest.raises(UnknownNameError, match="'xx'"):
        say(SUM, "xx")


def test_a_missing_key_is_named_with_its_language() -> None:
    with pytest.raises(DataError, match=r"'xy' have no 'return\.sum'"):
        fill(Phrase("return.sum"), read_table(""), 0, "xy")


@pytest.mark.parametrize("text", ["Add {k} to {x}.", "Add it."])
def test_a_phrase_with_other_slots_than_given_is_an_error(text: str) -> None:
    with pytest.raises(DataError, match=r"'each\.plus' of 'xy' has the slots .* but is given \{k\}"):
        fill(Phrase("each.plus", (("k", 3),)), {"each.plus": (text,)}, 0, "xy")


@pytest.mark.parametrize("toml", ["[keep]\neven = 3", "[keep]\neven = []", "[keep]\neven = [1]", "sentences = 4"])
def test_a_phrase_must_be_a_text_or_a_list_of_texts(toml: str) -> None:
    with pytest.raises(DataError, match="not a text or a list of texts"):
        read_table(toml)
