//! Text logs: what training programs print, kept by `tee`, `nohup`, Slurm or a logging handler.

mod grammar;
mod grammars;
mod scan;
