//! The nearest match for a word that nobody knows.

/// The candidate that `word` most likely means, if any is near enough to say so.
///
/// Near is a third of the word's letters wrong, missing, extra or swapped with a neighbour, and at least
/// one, but never all: more would suggest words that share nothing. Failing that, a word of which one is
/// the beginning of the other.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Longer words are no slips of the pen, and comparing takes time by the square of the length.
    if word.len() > 64 {
        return None;
    }
    let letters = word.chars().count();
    let limit = (letters / 3).max(1).min(letters.saturating_sub(1));
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let distances = candidates
        .iter()
        .map(|other| (strsim::damerau_levenshtein(word, other), *other));
    let near = distances
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance);
    let begins = |other: &&&str| {
        letters.min(other.len()) > 2 && (other.starts_with(word) || word.starts_with(**other))
    };
    near.map(|(_, other)| other)
        .or_else(|| candidates.iter().find(begins).copied())
}

/// The help line for an unknown word.
pub(super) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(word, candidates).map(|near| format!("did you mean `{near}`?"))
}

/// "`a`, `b` or `c`".
pub(super) fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    joined(words, "or")
}

/// "`a`, `b` and `c`".
pub(super) fn all_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    joined(words, "and")
}

/// What is allowed; where the nearest match is told as well, a long list would only hide it.
pub(super) fn expected(words: &[&str], nearest_told: bool) -> String {
    if nearest_told && words.len() > 12 {
        return format!("not one of the {} that there are", words.len());
    }
    format!("expected {}", one_of(words.iter().copied()))
}

fn joined<'a>(words: impl IntoIterator<Item = &'a str>, conjunction: &str) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} {conjunction} {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAULTS: [&str; 4] = ["power-off", "partition", "kill", "drop"];

    #[test]
    fn slips_of_the_pen_find_their_word_and_other_words_find_none() {
        assert_eq!(nearest("power-of", FAULTS), Some("power-off"));
        assert_eq!(nearest("poweroff", FAULTS), Some("power-off"));
        assert_eq!(nearest("drpo", FAULTS), Some("drop"));
        assert_eq!(nearest("explode", FAULTS), None);
        assert_eq!(nearest("", FAULTS), None);
        assert_eq!(nearest("part", FAULTS), Some("partition"));
        assert_eq!(nearest("dropping", FAULTS), Some("drop"));
        assert_eq!(nearest("9", ["0", "1"]), None);
    }

    #[test]
    fn a_huge_word_is_not_compared() {
        assert_eq!(nearest(&"drop".repeat(1_000_000), FAULTS), None);
    }

    #[test]
    fn a_long_list_does_not_hide_the_nearest_match() {
        let many = ["word"; 13];
        assert_eq!(expected(&many, true), "not one of the 13 that there are");
        assert!(expected(&many, false).len() > 90 && expected(&many[..12], true).len() > 90);
    }

    #[test]
    fn lists_read_like_a_sentence() {
        assert_eq!(one_of(["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(all_of(["a", "b"]), "`a` and `b`");
        assert_eq!(one_of(["a"]), "`a`");
        assert_eq!(one_of([]), "nothing");
    }
}
