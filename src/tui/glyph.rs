//! Signs: shape carries the meaning before colour does. Each has a stand-in for terminals without Unicode.

use ratatui::buffer::Buffer;

/// Load in eighths.
pub const RAMP: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// A line chart in quarters of a cell, from the bottom up.
pub const LEVEL: [char; 4] = ['⣀', '⠤', '⠒', '⠉'];
/// A horizontal bar: half a cell and a whole one. Thin, so that bars below each other stay apart.
pub const BAR: [char; 2] = ['╸', '━'];
/// Something is on the way.
pub const SPINNER: [char; 4] = ['◴', '◷', '◶', '◵'];

pub const DEAD: char = '✖';
pub const GONE: char = '☠';
pub const HUNG: char = '‖';
pub const CUT: char = '≠';
pub const SLOW: char = '◔';
pub const DRAINING: char = '◂';
pub const REACHED: char = '●';
pub const LATER: char = '○';
pub const PACKET: char = '•';
/// Of a pair: the one that waits to take over.
pub const STANDBY: char = '◌';
/// A circuit breaker that lets nothing pass, or little.
pub const BREAKER: char = '⊘';
/// Rows that are in conflict, or writes that were put aside.
pub const HATCH: char = '▒';
/// A queue as a pipe: free, taken, taken while it grows.
pub const PIPE: [char; 3] = ['░', '▒', '▓'];
/// A message on its way to a queue, or from it.
pub const MESSAGE: char = '■';
/// A machine that is selected, where it is a single cell.
pub const SELECTED: char = '◈';
/// The request that is followed.
pub const FOLLOWED: char = '◉';
/// Nothing is measured here.
pub const NOTHING: char = '·';
/// A log that no packet reaches.
pub const TEAR: char = '╱';
/// A write that travels to another node.
pub const CHANGE: char = '◆';
/// What a setting is now.
pub const CHOSEN: char = '●';
/// What was done.
pub const TICK: char = '✔';

/// The glyph of a share from 0 to 1 on the ramp.
pub fn ramp(share: f64) -> char {
    let step = (share.clamp(0.0, 1.0) * 8.0).ceil() as usize;
    RAMP[step.clamp(1, 8) - 1]
}

/// A bar of `cells` columns for a share from 0 to 1, padded with spaces.
pub fn bar(share: f64, cells: u16) -> String {
    let halves = (share.clamp(0.0, 1.0) * f64::from(cells) * 2.0).round() as usize;
    let cell = |cell: usize| match halves.saturating_sub(cell * 2) {
        0 => ' ',
        part => BAR[part.min(2) - 1],
    };
    (0..usize::from(cells)).map(cell).collect()
}

/// Box characters by the directions that meet in a cell (north 1, east 2, south 4, west 8), thin.
pub const THIN: [char; 16] = [
    '·', '│', '─', '╰', '│', '│', '╭', '├', '─', '╯', '─', '┴', '╮', '┤', '┬', '┼',
];
/// The same, thick.
pub const THICK: [char; 16] = [
    '·', '┃', '━', '┗', '┃', '┃', '┏', '┣', '━', '┛', '━', '┻', '┓', '┫', '┳', '╋',
];
/// The same, dotted where a dotted sign exists.
pub const DOTTED: [char; 16] = [
    '·', '┆', '╌', '╰', '┆', '┆', '╭', '┆', '╌', '╯', '╌', '╌', '╮', '┆', '╌', '┼',
];
/// Changes that nodes of a database fetch from each other: the bed of their way.
pub const SPARSE: [char; 16] = [
    '·', '┊', '┈', '╰', '┊', '┊', '╭', '┊', '┈', '╯', '┈', '┈', '╮', '┊', '┈', '┼',
];
/// The same where changes travel.
pub const HEAVY: [char; 16] = [
    '·', '┋', '┉', '┗', '┋', '┋', '┏', '┋', '┉', '┛', '┉', '┉', '┓', '┋', '┉', '╋',
];
/// Heads of arrows: north, east, south, west.
pub const HEADS: [char; 4] = ['▲', '▶', '▼', '◀'];

/// Stand-ins. What is not here becomes a question mark.
const ASCII: &[(&str, char)] = &[
    ("▁", '_'),
    ("▂", '_'),
    ("▃", '-'),
    ("▄", '-'),
    ("▅", '='),
    ("▆", '='),
    ("▇", '#'),
    ("█", '#'),
    ("╸", '-'),
    ("▀", '-'),
    ("⣀", ','),
    ("⠤", '~'),
    ("⠒", '^'),
    ("⠉", '\''),
    ("●", '*'),
    ("◉", '@'),
    ("◈", '@'),
    ("✖", 'X'),
    ("☠", '%'),
    ("‖", 'H'),
    ("≠", '/'),
    ("◔", '~'),
    ("◂", '<'),
    ("◌", 'o'),
    ("○", '.'),
    ("⊘", '0'),
    ("◴", '|'),
    ("◷", '/'),
    ("◶", '-'),
    ("◵", '\\'),
    ("•", 'o'),
    ("◆", '#'),
    ("─", '-'),
    ("━", '='),
    ("═", '='),
    ("╌", '.'),
    ("│", '|'),
    ("┃", '|'),
    ("║", '|'),
    ("┆", ':'),
    ("┊", ':'),
    ("┈", '.'),
    ("┋", '!'),
    ("┉", '"'),
    ("░", ':'),
    ("▒", '%'),
    ("▓", '#'),
    ("■", '@'),
    ("╱", '/'),
    ("╎", ':'),
    ("╭", '+'),
    ("╮", '+'),
    ("╯", '+'),
    ("╰", '+'),
    ("┌", '+'),
    ("┐", '+'),
    ("┘", '+'),
    ("└", '+'),
    ("┏", '+'),
    ("┓", '+'),
    ("┛", '+'),
    ("┗", '+'),
    ("╔", '+'),
    ("╗", '+'),
    ("╝", '+'),
    ("╚", '+'),
    ("├", '+'),
    ("┤", '+'),
    ("┬", '+'),
    ("┴", '+'),
    ("┼", '+'),
    ("┣", '+'),
    ("┫", '+'),
    ("┳", '+'),
    ("┻", '+'),
    ("╋", '+'),
    ("┝", '+'),
    ("╪", '+'),
    ("╫", '+'),
    ("╠", '+'),
    ("╣", '+'),
    ("╟", '+'),
    ("╢", '+'),
    ("▶", '>'),
    ("◀", '<'),
    ("▲", '^'),
    ("▼", 'v'),
    ("⏸", '='),
    ("…", '~'),
    ("┄", '.'),
    ("–", '-'),
    ("—", '-'),
    ("·", '.'),
    ("✔", '+'),
    ("→", '>'),
    ("←", '<'),
    ("↑", '^'),
    ("↓", 'v'),
    ("▸", '>'),
    ("⌫", '<'),
    ("▐", '|'),
    ("▲", '^'),
    ("»", '>'),
    ("×", 'x'),
    ("", ' '),
];

/// Lets every sign that turns stand still.
pub fn stop_turning(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if cell.symbol().starts_with(SPINNER) {
            cell.set_char(SPINNER[0]);
        }
    }
}

/// Replaces every sign outside of ASCII.
pub fn to_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if cell.symbol().is_ascii() && !cell.symbol().is_empty() {
            continue;
        }
        let stand_in = ASCII
            .iter()
            .find(|pair| pair.0 == cell.symbol())
            .map_or('?', |pair| pair.1);
        cell.set_char(stand_in);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_has_a_stand_in() {
        let mut signs: Vec<char> = Vec::new();
        for table in [
            &RAMP[..],
            &LEVEL[..],
            &BAR[..],
            &SPINNER[..],
            &THIN[..],
            &THICK[..],
            &DOTTED[..],
            &SPARSE[..],
            &HEAVY[..],
            &HEADS[..],
            &PIPE[..],
        ] {
            signs.extend(table);
        }
        signs.extend([DEAD, GONE, HUNG, CUT, SLOW, DRAINING, REACHED, LATER, PACKET]);
        signs.extend([STANDBY, BREAKER, CHOSEN, HATCH, TEAR, CHANGE, MESSAGE]);
        for sign in signs {
            assert!(
                ASCII.iter().any(|pair| pair.0 == sign.to_string()),
                "{sign} has no stand-in"
            );
        }
    }

    #[test]
    fn a_ramp_shows_idle_and_full() {
        assert_eq!(ramp(0.0), '▁');
        assert_eq!(ramp(1.0), '█');
        assert_eq!(bar(0.5, 4), "━━  ");
        assert_eq!(bar(0.4, 4), "━╸  ");
        assert_eq!(bar(0.0, 2), "  ");
    }
}
