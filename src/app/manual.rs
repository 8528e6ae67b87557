//! Completions and the manual page, made from the same definition as `--help`.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use super::{cli::Cli, error::AppError};

/// Writes a completion script.
pub fn completions(shell: Shell, out: &mut dyn Write) -> Result<(), AppError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "epochscope", &mut script);
    Ok(out.write_all(&script)?)
}

/// Writes the manual page of the program and of each command, one after the other, as roff.
pub fn man(out: &mut dyn Write) -> Result<(), AppError> {
    let command = Cli::command();
    clap_mangen::Man::new(command.clone()).render(out)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let named = sub.clone().display_name(format!("epochscope-{}", sub.get_name()));
        clap_mangen::Man::new(named).render(out)?;
    }
    Ok(())
}
