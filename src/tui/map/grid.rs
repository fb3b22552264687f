//! Instances as a grid of cells.

use ratatui::layout::Rect;

/// Columns from one cell to the next, and those that a cell takes: with a space between them where they fit into a few rows. Where they don't,
/// cells of several columns give way to narrow ones, and those lose the space.
fn pitch(count: usize, width: u16, wide: u16) -> (u16, u16) {
    let fits = |pitch: u16| count.div_ceil(usize::from(((width + 1) / pitch).max(1))) <= 4;
    if wide > 1 && width >= wide && fits(wide + 1) {
        (wide + 1, wide)
    } else if fits(2) {
        (2, 1)
    } else {
        (1, 1)
    }
}

/// Cells in a row.
fn per_row(width: u16, pitch: u16) -> u16 {
    let gap = u16::from(pitch > 1);
    ((width + gap) / pitch).max(1)
}

/// Rows that so many cells take in a width.
pub fn rows(count: usize, width: u16, wide: u16) -> u16 {
    let (pitch, _) = pitch(count, width, wide);
    count.div_ceil(usize::from(per_row(width, pitch))).max(1) as u16
}

/// Where each of so many cells stands.
pub fn cells(count: usize, x: u16, y: u16, width: u16, wide: u16) -> Vec<Rect> {
    let (pitch, own) = pitch(count, width, wide);
    let per_row = per_row(width, pitch);
    (0..count as u16)
        .map(|index| Rect::new(x + index % per_row * pitch, y + index / per_row, own, 1))
        .collect()
}

/// The same in so many rows at most: where there are more instances than places, neighbours share one.
pub fn squeezed(count: usize, (x, y): (u16, u16), width: u16, wide: u16, most: u16) -> Vec<Rect> {
    if rows(count, width, wide) <= most {
        return cells(count, x, y, width, wide);
    }
    if rows(count, width, 1) <= most {
        return cells(count, x, y, width, 1);
    }
    let width = width.max(1);
    let places = usize::from(width) * usize::from(most.max(1));
    let shown = places.min(count);
    let place = |index: usize| (index * shown / count) as u16;
    (0..count)
        .map(|index| Rect::new(x + place(index) % width, y + place(index) / width, 1, 1))
        .collect()
}
