//! Numbers among the arguments: what is wrong with one is said in words, and what would be right.

use std::str::FromStr;

use crate::layout::printable;

/// Reads a seed.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| {
        format!(
            "`{}` is no seed: write a whole number from 0 to {}",
            printable(text),
            u64::MAX
        )
    })
}

/// Reads a number of things, of which there may be none.
pub(super) fn count(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| {
        format!(
            "`{}` is no number of that: write a whole one, 0 or more",
            printable(text)
        )
    })
}

/// Reads a number of things, of which there is one at least.
pub(super) fn some<T: FromStr>(text: &str) -> Result<T, String> {
    text.trim().parse().map_err(|_| {
        format!(
            "`{}` is no number of that: write a whole one, 1 or more",
            printable(text)
        )
    })
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU32, NonZeroUsize};

    use super::*;

    #[test]
    fn what_is_no_number_is_told_what_would_be() {
        assert_eq!(seed(" 42 "), Ok(42));
        assert_eq!(seed("18446744073709551615"), Ok(u64::MAX));
        for wrong in ["abc", "-3", "", "1.5", "18446744073709551616", "\u{1b}[2J"] {
            let error = seed(wrong).unwrap_err();
            assert!(
                error.ends_with("write a whole number from 0 to 18446744073709551615"),
                "{error}"
            );
            assert!(!error.contains('\u{1b}'));
        }
        assert_eq!(count("0"), Ok(0));
        assert!(count("-1").unwrap_err().ends_with("0 or more"));
        assert_eq!(some("3"), Ok(NonZeroUsize::new(3).unwrap()));
        for wrong in ["0", "-1", "4294967296", "few"] {
            let error = some::<NonZeroU32>(wrong).unwrap_err();
            assert!(error.ends_with("1 or more"), "{error}");
        }
    }
}
