//! Instances as a grid of cells.

use ratatui::layout::Rect;

/// Cells with a space between them where they fit into a few rows, without one where not.
fn pitch(count: usize, width: u16) -> u16 {
    if count.div_ceil(usize::from(width.div_ceil(2).max(1))) <= 4 {
        2
    } else {
        1
    }
}

/// Rows that so many cells take in a width.
pub fn rows(count: usize, width: u16) -> u16 {
    let per_row = width.div_ceil(pitch(count, width)).max(1);
    count.div_ceil(usize::from(per_row)).max(1) as u16
}

/// Where each of so many cells stands.
pub fn cells(count: usize, x: u16, y: u16, width: u16) -> Vec<Rect> {
    let pitch = pitch(count, width);
    let per_row = width.div_ceil(pitch).max(1);
    (0..count as u16)
        .map(|index| Rect::new(x + index % per_row * pitch, y + index / per_row, 1, 1))
        .collect()
}

/// The same in so many rows at most: where there are more instances than places, neighbours share one.
pub fn squeezed(count: usize, x: u16, y: u16, width: u16, most: u16) -> Vec<Rect> {
    if rows(count, width) <= most {
        return cells(count, x, y, width);
    }
    let width = width.max(1);
    let places = usize::from(width) * usize::from(most.max(1));
    let shown = places.min(count);
    let place = |index: usize| (index * shown / count) as u16;
    (0..count)
        .map(|index| Rect::new(x + place(index) % width, y + place(index) / width, 1, 1))
        .collect()
}
