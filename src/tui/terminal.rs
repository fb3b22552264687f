//! The terminal: taken over at the start, given back however the program ends.

use std::io::{self, BufWriter, Stdout, Write};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use ratatui::crossterm::style::force_color_output;
use ratatui::crossterm::terminal::{
    self, BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
};
use ratatui::crossterm::{cursor, execute, queue};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};

use super::app::{App, Options};
use super::{mishap, screen};

/// A frame goes out in few system calls.
const BUFFER: usize = 128 * 1024;

/// How long the main thread may take to end in good order after a signal.
const GRACE: Duration = Duration::from_millis(500);

/// How long a signal may be under way.
const UNDER_WAY: Duration = Duration::from_millis(200);

/// Whether the terminal is ours now, so that it is given back once.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Where frames go. After the terminal was given back nothing goes wrong any more: what is shown last, the cursor, is shown already, and ratatui panics
/// where it can neither show it nor say so.
struct Out(BufWriter<Stdout>);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        forgiving(self.0.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        forgiving(self.0.flush(), ())
    }
}

/// The result; this one instead where it went wrong and the terminal is not ours.
fn forgiving<T>(result: io::Result<T>, otherwise: T) -> io::Result<T> {
    if TAKEN.load(Ordering::SeqCst) {
        result
    } else {
        Ok(result.unwrap_or(otherwise))
    }
}

/// A terminal of which nothing is known, so that all of it is drawn.
fn blank() -> io::Result<Terminal<CrosstermBackend<Out>>> {
    let backend = CrosstermBackend::new(Out(BufWriter::with_capacity(BUFFER, io::stdout())));
    Terminal::new(backend).inspect_err(|_| give_back())
}

/// The terminal while it is ours. Dropping it gives it back.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Out>>,
    mouse: bool,
    synchronized: bool,
}

impl Screen {
    /// Takes the terminal over, after seeing to it that a panic gives it back.
    ///
    /// # Errors
    /// When there is no terminal.
    pub fn take(options: &Options) -> io::Result<Screen> {
        restore_on_panic();
        // crossterm would answer NO_COLOR by dropping reverse video too; the theme without colours sees to it.
        force_color_output(true);
        enter(options.mouse)?;
        Ok(Screen {
            terminal: blank()?,
            mouse: options.mouse,
            synchronized: options.synchronized,
        })
    }

    /// Draws the app.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn draw(&mut self, app: &mut App) -> io::Result<()> {
        if self.synchronized {
            queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        }
        self.terminal.draw(|frame| {
            app.prepare(frame.area());
            mishap::pass(mishap::Place::Drawing, app.frame().at);
            screen::draw(app, frame.buffer_mut());
        })?;
        if self.synchronized {
            queue!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        }
        self.terminal.backend_mut().flush()
    }

    /// Back to the shell until it continues us.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn suspend(&mut self) -> io::Result<()> {
        give_back();
        stop()?;
        enter(self.mouse)?;
        // Clearing the old one would ask the terminal where the cursor is, and not every one answers.
        self.terminal = blank()?;
        queue!(self.terminal.backend_mut(), Clear(ClearType::All))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
        // A panic that came here from another thread has not been reported yet.
        if let Some(words) = super::crash::take_panic().filter(|_| thread::panicking()) {
            let _ = writeln!(io::stderr(), "{words}");
        }
    }
}

/// Stops the program until the shell continues it.
///
/// # Errors
/// When the system refuses.
pub fn stop() -> io::Result<()> {
    signal_hook::low_level::emulate_default_handler(SIGTSTP)
}

fn enter(mouse: bool) -> io::Result<()> {
    terminal::enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut out = io::stdout();
    let entered = execute!(out, EnterAlternateScreen, EnableBracketedPaste, cursor::Hide);
    let entered = entered.and_then(|()| {
        if mouse {
            execute!(out, EnableMouseCapture)
        } else {
            Ok(())
        }
    });
    entered.inspect_err(|_| give_back())
}

/// Gives the terminal back as it was. Errors are of no use here: there is nothing left to say them on.
pub fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = execute!(
        out,
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = terminal::disable_raw_mode();
}

/// A panic on this thread gives the terminal back before it is reported. One on the simulation's thread is left to this thread,
/// which would otherwise go on drawing over the report.
fn restore_on_panic() {
    let report = panic::take_hook();
    let own = thread::current().id();
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() == own {
            give_back();
            report(info);
        } else if !TAKEN.load(Ordering::SeqCst) {
            report(info);
        } else {
            super::crash::remember_panic(&info.to_string());
        }
    }));
}

/// Signals that end or stop the program, as flags that its loop looks at.
pub struct Signals {
    ending: Arc<AtomicUsize>,
    stopping: Arc<AtomicBool>,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn listen() -> io::Result<Signals> {
        let signals = Signals {
            ending: Arc::default(),
            stopping: Arc::default(),
        };
        let ending = Arc::clone(&signals.ending);
        let mut queue = signal_hook::iterator::Signals::new([SIGTERM, SIGHUP, SIGINT])?;
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            if let Some(signal) = queue.forever().next() {
                ending.store(signal.unsigned_abs() as usize, Ordering::SeqCst);
                thread::sleep(GRACE);
                // A terminal that is gone can hold the main thread in a read that never ends.
                give_back();
                std::process::exit(128 + signal);
            }
        })?;
        signal_hook::flag::register(SIGTSTP, Arc::clone(&signals.stopping))?;
        Ok(signals)
    }

    /// The signal that asks the program to end, if one came.
    pub fn ending(&self) -> Option<u8> {
        u8::try_from(self.ending.load(Ordering::SeqCst))
            .ok()
            .filter(|signal| *signal > 0)
    }

    /// The same for whoever has just found the terminal gone: the signal that tells of it may still be under way.
    pub fn ending_soon(&self) -> Option<u8> {
        let patience = Instant::now() + UNDER_WAY;
        while self.ending().is_none() && Instant::now() < patience {
            thread::sleep(Duration::from_millis(5));
        }
        self.ending()
    }

    /// Whether a signal asked the program to stop, since the last call.
    pub fn stopping(&self) -> bool {
        self.stopping.swap(false, Ordering::SeqCst)
    }
}
