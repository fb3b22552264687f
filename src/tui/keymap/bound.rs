//! The keys in force: the table, and what a person has bound otherwise.

use ratatui::crossterm::event::KeyEvent;

use super::{Action, Binding, KEYMAP, names, written};

/// Keys that keep their meaning, whatever else is bound: the ways out of everything, and of whatever is open.
const FIXED: [(&str, Action); 4] = [
    ("ctrl-c", Action::Quit),
    ("ctrl-z", Action::Suspend),
    ("enter", Action::Enter),
    ("esc", Action::Back),
];

/// A row of the table with the keys in force.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The row.
    pub binding: &'static Binding,
    /// The keys of the person in place of those of the table, if there are any; each with what it does.
    own: Option<Vec<(String, Action)>>,
}

/// What each key does.
#[derive(Clone, Debug)]
pub struct Keymap {
    rows: Vec<Bound>,
}

/// Why keys cannot be bound so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misbound {
    /// Which of the changes is wrong, from 0.
    pub change: usize,
    /// Which of its keys, from 0.
    pub key: usize,
    /// Why, and the way out.
    pub why: String,
}

impl Default for Keymap {
    fn default() -> Keymap {
        let rows = KEYMAP.iter().map(|binding| Bound { binding, own: None });
        Keymap { rows: rows.collect() }
    }
}

impl Keymap {
    /// The table, but for these acts: each has these keys and no others, except those that nobody can take.
    ///
    /// # Errors
    /// The first key that there is not, that is bound twice, or that keeps its meaning.
    pub fn with(changes: &[(Action, Vec<String>)]) -> Result<Keymap, Misbound> {
        let mut keymap = Keymap::default();
        let mut places: Vec<(String, usize, usize)> = Vec::new();
        for (change, (action, keys)) in changes.iter().enumerate() {
            let mut bound = Vec::new();
            for (key, text) in keys.iter().enumerate() {
                let misbound = |why| Misbound { change, key, why };
                let name = names::key(text).map_err(misbound)?;
                if let Some((_, fixed)) = FIXED.iter().find(|(fixed, does)| *fixed == name && does != action) {
                    let keeps = names::verb(*fixed);
                    return Err(misbound(format!("`{name}` always means {keeps}; choose another key")));
                }
                places.push((name.clone(), change, key));
                bound.push(name);
            }
            keymap.bind(*action, bound);
        }
        for (name, change, key) in places {
            let of: Vec<Action> = keymap.rows.iter().flat_map(|row| row.all(&name)).collect();
            if let [one, other, ..] = of[..] {
                let own = changes[change].0;
                let why = if one == other {
                    format!("`{name}` stands here twice")
                } else {
                    let (one, other) = if one == own { (other, one) } else { (one, other) };
                    let (one, other) = (names::verb(one), names::verb(other));
                    format!("`{name}` is bound to {one} and to {other}; give one of them another key")
                };
                return Err(Misbound { change, key, why });
            }
        }
        Ok(keymap)
    }

    /// Gives an act these keys in place of those that it has.
    fn bind(&mut self, action: Action, keys: Vec<String>) {
        let Some(row) = self.rows.iter_mut().find(|row| row.binding.actions.contains(&action)) else {
            return;
        };
        let mut pairs = row.pairs();
        let place = pairs.iter().position(|pair| pair.1 == action).unwrap_or(pairs.len());
        pairs.retain(|pair| pair.1 != action);
        let fixed = FIXED
            .iter()
            .filter(|pair| pair.1 == action && keys.iter().all(|key| key != pair.0));
        let fixed: Vec<String> = fixed.map(|pair| pair.0.to_string()).collect();
        let all = keys.into_iter().chain(fixed).map(|key| (key, action));
        pairs.splice(place..place, all);
        row.own = Some(pairs);
    }

    /// What a key asks for, when no text is typed.
    pub fn action(&self, key: KeyEvent) -> Option<Action> {
        let name = names::name(key)?;
        self.rows.iter().find_map(|row| row.all(&name).into_iter().next())
    }

    /// The first key of an act, as people read it; nothing where it has none.
    pub fn key(&self, action: Action) -> String {
        let row = self.rows.iter().find(|row| row.binding.actions.contains(&action));
        let pairs = row.map(Bound::pairs).unwrap_or_default();
        let own = pairs.into_iter().find(|pair| pair.1 == action);
        own.map_or(String::new(), |(key, _)| written(&[key]))
    }

    /// The words with the keys in force: `{rewind}` stands for the first key of the act of that name, or for its name where it has none.
    pub fn fill(&self, words: &str) -> String {
        let mut filled = String::new();
        let mut rest = words;
        while let Some((before, after)) = rest.split_once('{') {
            let named = after.split_once('}').filter(|(name, _)| names::is_act(name));
            let Some((name, behind)) = named else {
                filled += before;
                filled.push('{');
                rest = after;
                continue;
            };
            let key = self.keys_of(name).into_iter().next();
            filled += before;
            filled += &key.map_or_else(|| name.to_string(), |key| written(&[key]));
            rest = behind;
        }
        filled + rest
    }

    /// The keys of the act of this name.
    pub fn keys_of(&self, verb: &str) -> Vec<String> {
        let pairs = self.rows.iter().flat_map(Bound::pairs);
        let own = pairs.filter(|pair| names::verb(pair.1) == verb);
        own.map(|pair| pair.0).collect()
    }

    /// All rows, in the order of the table.
    pub fn rows(&self) -> &[Bound] {
        &self.rows
    }

    /// The rows of the footer, in its order.
    pub fn footer(&self) -> Vec<&Bound> {
        let mut rows: Vec<&Bound> = self.rows.iter().filter(|row| row.binding.footer > 0).collect();
        rows.sort_by_key(|row| row.binding.footer);
        rows
    }

    /// The acts that a person has bound otherwise, with their keys.
    pub fn changed(&self) -> Vec<(&'static str, String)> {
        let rows = self.rows.iter().filter(|row| row.own.is_some());
        let mut changed = Vec::new();
        for row in rows {
            let mut actions = row.binding.actions.to_vec();
            actions.dedup();
            for (index, action) in actions.iter().enumerate() {
                let keys = |pairs: Vec<(String, Action)>| -> Vec<String> {
                    pairs
                        .into_iter()
                        .filter(|pair| pair.1 == *action)
                        .map(|pair| pair.0)
                        .collect()
                };
                let usual = row.binding.pairs().map(|(key, does)| (key.to_string(), does)).collect();
                let own = keys(row.pairs());
                if own != keys(usual) && !actions[..index].contains(action) {
                    changed.push((names::verb(*action), written(&own)));
                }
            }
        }
        changed
    }
}

impl Bound {
    fn pairs(&self) -> Vec<(String, Action)> {
        match &self.own {
            Some(own) => own.clone(),
            None => self
                .binding
                .pairs()
                .map(|(key, action)| (key.to_string(), action))
                .collect(),
        }
    }

    /// What a key does in this row; several things only where it is bound twice.
    fn all(&self, name: &str) -> Vec<Action> {
        match &self.own {
            Some(own) => own.iter().filter(|pair| pair.0 == name).map(|pair| pair.1).collect(),
            None => self
                .binding
                .pairs()
                .filter(|pair| pair.0 == name)
                .map(|pair| pair.1)
                .collect(),
        }
    }

    /// The keys in a few characters: `x`, `+ -`, `arrows hjkl`.
    pub fn label(&self) -> String {
        match &self.own {
            Some(own) => written(&own.iter().map(|pair| pair.0.as_str()).collect::<Vec<_>>()),
            None => self.binding.label(),
        }
    }

    /// The keys for the footer, where room is scarce: of each act the first.
    pub fn short_label(&self) -> String {
        let Some(own) = &self.own else {
            return self.binding.short_label();
        };
        let mut keys: Vec<&str> = Vec::new();
        for (index, (key, action)) in own.iter().enumerate() {
            if own[..index].iter().all(|before| before.1 != *action) {
                keys.push(key);
            }
        }
        // As the table does, which names the way there and leaves the way back to the help page.
        if matches!(self.binding.actions[0], Action::NextMilestone | Action::Rewind) {
            keys.truncate(1);
        }
        written(&keys)
    }
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::{KeyCode, KeyModifiers};

    use super::*;

    fn press(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    fn with(changes: &[(Action, &[&str])]) -> Result<Keymap, Misbound> {
        let changes = changes.iter().map(|(action, keys)| {
            let keys = keys.iter().map(|key| (*key).to_string());
            (*action, keys.collect())
        });
        Keymap::with(&changes.collect::<Vec<_>>())
    }

    fn refused(changes: &[(Action, &[&str])]) -> (usize, usize, String) {
        let Misbound { change, key, why } = with(changes).expect_err("it is wrong");
        (change, key, why)
    }

    #[test]
    fn keys_are_found_in_the_table() {
        let keymap = Keymap::default();
        let action = |key| keymap.action(key);
        assert_eq!(action(press(KeyCode::Char('x'))), Some(Action::Kill));
        assert_eq!(action(press(KeyCode::Char('='))), Some(Action::More));
        assert_eq!(action(press(KeyCode::Char(' '))), Some(Action::Pause));
        assert_eq!(
            action(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)),
            Some(Action::Quit)
        );
        assert_eq!(
            action(KeyEvent::new(KeyCode::Left, KeyModifiers::SHIFT)),
            Some(Action::Earlier)
        );
        assert_eq!(action(press(KeyCode::Char('X'))), Some(Action::Destroy));
        assert_eq!(action(press(KeyCode::F(1))), None);
        assert!(keymap.changed().is_empty());
    }

    #[test]
    fn sentences_are_filled_with_the_keys_in_force() {
        let words = "{rewind} goes back, {mend all} mends, {no act} and {stay";
        let filled = |key: &str| format!("{key} goes back, R mends, {{no act}} and {{stay");
        assert_eq!(Keymap::default().fill(words), filled("z"));
        let keymap = with(&[(Action::Rewind, &["u"])]).expect("it is right");
        assert_eq!(keymap.fill(words), filled("u"));
        let none = with(&[(Action::Rewind, &[])]).expect("it is right");
        assert_eq!(none.fill(words), filled("rewind"));
    }

    #[test]
    fn an_act_has_the_keys_that_it_was_given_and_no_others() {
        let keymap = with(&[(Action::Kill, &["d", "delete"]), (Action::More, &["a"])]).expect("it is right");
        assert_eq!(keymap.action(press(KeyCode::Char('d'))), Some(Action::Kill));
        assert_eq!(keymap.action(press(KeyCode::Delete)), Some(Action::Kill));
        assert_eq!(keymap.action(press(KeyCode::Char('x'))), None);
        assert_eq!(keymap.action(press(KeyCode::Char('+'))), None);
        assert_eq!(keymap.action(press(KeyCode::Char('-'))), Some(Action::Fewer));
        let labels = |verb: &str| {
            let row = keymap.rows().iter().find(|row| row.binding.verb == verb);
            row.map(|row| (row.label(), row.short_label())).expect("the row")
        };
        assert_eq!(labels("kill"), ("d delete".to_string(), "d".to_string()));
        assert_eq!(labels("machines"), ("a -".to_string(), "a -".to_string()));
        assert_eq!(labels("move").0, "arrows hjkl");
        assert_eq!(keymap.key(Action::Kill), "d");
        assert_eq!(
            keymap.changed(),
            [("kill", "d delete".to_string()), ("more", "a".to_string())]
        );
    }

    #[test]
    fn two_acts_can_change_places() {
        let keymap = with(&[(Action::Mend, &["R"]), (Action::MendAll, &["r"])]).expect("it is right");
        assert_eq!(keymap.action(press(KeyCode::Char('R'))), Some(Action::Mend));
        assert_eq!(keymap.action(press(KeyCode::Char('r'))), Some(Action::MendAll));
    }

    #[test]
    fn a_key_has_one_meaning() {
        let (change, key, why) = refused(&[(Action::Mend, &["1"]), (Action::Edit, &["Y", "x"])]);
        assert_eq!((change, key), (0, 0));
        assert_eq!(why, "`1` is bound to pane 1 and to mend; give one of them another key");
        let (change, key, why) = refused(&[(Action::Edit, &["Y", "x"])]);
        assert_eq!((change, key), (0, 1));
        assert_eq!(why, "`x` is bound to kill and to edit; give one of them another key");
        assert_eq!(refused(&[(Action::Edit, &["Y", "Y"])]).2, "`Y` stands here twice");
        let (change, _, why) = refused(&[(Action::Edit, &["ä"]), (Action::Kill, &["ä"])]);
        assert_eq!(
            (change, why.contains("kill") && why.contains("edit")),
            (0, true),
            "{why}"
        );
    }

    #[test]
    fn the_ways_out_stay() {
        let keymap = with(&[(Action::Quit, &["Q"])]).expect("it is right");
        let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(keymap.action(ctrl_c), Some(Action::Quit));
        assert_eq!(keymap.action(press(KeyCode::Char('Q'))), Some(Action::Quit));
        assert_eq!(keymap.action(press(KeyCode::Char('q'))), None);
        let (_, _, why) = refused(&[(Action::Kill, &["ctrl-c"])]);
        assert_eq!(why, "`ctrl-c` always means quit; choose another key");
        assert!(refused(&[(Action::Kill, &["Esc"])]).2.contains("always means out"));
        assert!(with(&[(Action::Quit, &["ctrl-c"])]).is_ok());
    }
}
