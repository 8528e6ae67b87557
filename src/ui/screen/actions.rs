//! What actions mean in every view that has no meaning of its own for them.

use super::{Overlay, Palette, Prompt, Screen, time_cursor};
use crate::{
    model::{RunId, Step, sanitise},
    store::Run,
    ui::{Action, FrameContext, Request, selection::SMOOTHING},
};

impl Screen {
    /// What an action means where the view has no meaning of its own for it.
    pub(super) fn act_everywhere(&mut self, action: Action, context: FrameContext<'_>) -> Vec<Request> {
        let views = self.views.len();
        match action {
            Action::View(n) => self.switch_to(usize::from(n).wrapping_sub(1)),
            Action::NextView => self.switch_to((self.current + 1) % views),
            Action::PreviousView => self.switch_to((self.current + views - 1) % views),
            Action::Filter => self.overlay = Overlay::Filter(Prompt::new(&self.selection.filter)),
            Action::Palette => {
                let bindings = self.views.get(self.current).map_or(&[][..], |v| v.bindings());
                self.overlay = Overlay::Palette(Palette::new(bindings));
            }
            Action::Help => self.overlay = Overlay::Help(0),
            Action::Back => self.selection.filter.clear(),
            Action::Mark => self.toggle_mark(context),
            Action::UnmarkAll => self.selection.marked.clear(),
            Action::NextRun => self.step_run(context, 1),
            Action::PreviousRun => self.step_run(context, -1),
            Action::Smoothing => self.next_smoothing(),
            Action::LogScale => self.selection.log_y = !self.selection.log_y,
            Action::Axis => self.selection.axis = self.selection.axis.next(),
            Action::Freeze => self.selection.toggle_freeze(context.store, context.now),
            Action::Play => self.toggle_play(context),
            Action::Live => {
                self.playing = None;
                self.selection.cursor = None;
                self.selection.frozen = None;
            }
            Action::TimeBack => self.move_cursor(context, -1),
            Action::TimeForward => self.move_cursor(context, 1),
            Action::TimeBackTen => self.move_cursor(context, -10),
            Action::TimeForwardTen => self.move_cursor(context, 10),
            Action::Mouse => return vec![Request::ToggleMouse],
            Action::Suspend => return vec![Request::Suspend],
            Action::Quit => return vec![Request::Quit],
            Action::Export => self.say("this view has nothing to export; Runs and Curves have"),
            Action::Copy => self.say("this view has nothing to copy"),
            _ => {}
        }
        Vec::new()
    }

    fn move_cursor(&mut self, context: FrameContext<'_>, by: isize) {
        self.playing = None;
        let moments = self.moments(context);
        if moments.is_empty() {
            return self.say("this view has no records to go through");
        }
        self.selection.cursor = time_cursor::among(&moments, self.selection.cursor, by);
        if let Some(step) = self.selection.cursor {
            self.say(format!("as it was at step {step}; ] forward, P plays, 0 back to live"));
        }
    }

    /// Begins where the cursor is, or with the first record.
    fn toggle_play(&mut self, context: FrameContext<'_>) {
        if self.playing.take().is_some() {
            return self.say("stopped; P goes on, 0 back to live");
        }
        let moments = self.moments(context);
        let Some(first) = moments.first().filter(|_| moments.len() > 1) else {
            return self.say("this view has no records to play");
        };
        self.selection.cursor = self.selection.cursor.or(Some(*first));
        self.playing = Some(context.now);
    }

    /// The steps at which the view on screen has records.
    pub(super) fn moments(&self, context: FrameContext<'_>) -> Vec<Step> {
        self.views.get(self.current).map_or_else(Vec::new, |view| view.moments(context, &self.selection))
    }

    /// The next step if it is time for it; live again after the last one.
    pub(super) fn play_on(&mut self, context: FrameContext<'_>) {
        let Some(since) = self.playing else { return };
        if context.now.since(since) < time_cursor::PACE_S {
            return;
        }
        self.selection.cursor = time_cursor::among(&self.moments(context), self.selection.cursor, 1);
        self.playing = self.selection.cursor.map(|_| context.now);
    }

    fn toggle_mark(&mut self, context: FrameContext<'_>) {
        if let Some(run) = self.selection.run_in(context.store) {
            let id: &RunId = run.id();
            if !self.selection.marked.remove(id) {
                self.selection.marked.insert(id.clone());
            }
        }
    }

    fn step_run(&mut self, context: FrameContext<'_>, by: isize) {
        let ids: Vec<_> = context.store.runs().map(|r| r.id().clone()).collect();
        let at = self.selection.run.as_ref().and_then(|id| ids.iter().position(|i| i == id)).unwrap_or(0);
        let next = at.saturating_add_signed(by).min(ids.len().saturating_sub(1));
        if let Some(id) = ids.get(next) {
            let title = context.store.run(id).map_or(id.as_str(), Run::title);
            self.say(format!("run {}", sanitise(title)));
            self.selection.run = Some(id.clone());
        }
    }

    fn next_smoothing(&mut self) {
        let at = SMOOTHING.iter().position(|w| *w >= self.selection.smoothing).unwrap_or(0);
        self.selection.smoothing = SMOOTHING[(at + 1) % SMOOTHING.len()];
    }
}
