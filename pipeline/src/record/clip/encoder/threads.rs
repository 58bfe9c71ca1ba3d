//! The threads of an encoder's pipeline. Takes a pipeline; gives it threads of its own, which come
//! last on the machine, as whatever they start does.
//!
//! GStreamer's usual threads are shared by all pipelines of a process and go from one to the next:
//! one that was put last would come to a camera some day, and nothing could put it first again.

use std::thread::{Builder, JoinHandle};

use gst::glib;
use gst::prelude::*;

use super::EncoderError;
use crate::priority::come_last;

/// What the threads are called, also once GStreamer has named them after their pads.
pub(super) const NAME: &str = "clip-encode";

glib::wrapper! {
    /// Gives each task a thread of its own, which comes last.
    pub struct LastPool(ObjectSubclass<imp::LastPool>) @extends gst::TaskPool, gst::Object;
}

mod imp {
    use super::{Builder, Joined, NAME, come_last, glib};
    use gst::subclass::prelude::*;

    #[derive(Default)]
    pub struct LastPool;

    #[glib::object_subclass]
    impl ObjectSubclass for LastPool {
        const NAME: &'static str = "SightlineLastPool";
        type Type = super::LastPool;
        type ParentType = gst::TaskPool;
    }

    impl ObjectImpl for LastPool {}
    impl GstObjectImpl for LastPool {}

    impl TaskPoolImpl for LastPool {
        type Handle = Joined;

        fn push(
            &self,
            task: gst::subclass::TaskPoolFunction,
        ) -> Result<Option<Joined>, glib::Error> {
            let body = move || {
                come_last();
                task.call();
            };
            let started = Builder::new().name(NAME.to_owned()).spawn(body);
            let none = |error: std::io::Error| {
                glib::Error::new(gst::ResourceError::Failed, &format!("no thread: {error}"))
            };
            started.map(|thread| Some(Joined(thread))).map_err(none)
        }
    }
}

/// A thread that is waited for.
pub struct Joined(JoinHandle<()>);

impl TaskHandle for Joined {
    fn join(self) {
        // What it has to say it has said on the pipeline's bus.
        let _ = self.0.join();
    }
}

/// Has the streaming threads of `pipeline`, which has not been started, come last.
pub(super) fn come_last_in(pipeline: &gst::Pipeline) -> Result<(), EncoderError> {
    let bus = pipeline.bus().ok_or_else(|| EncoderError::Gst { reason: "no bus".to_owned() })?;
    let pool: LastPool = glib::Object::new();
    bus.set_sync_handler(move |_, message| {
        if let gst::MessageView::StreamStatus(status) = message.view()
            && status.get().0 == gst::StreamStatusType::Create
            && let Some(value) = status.stream_status_object()
            && let Ok(task) = value.get::<gst::Task>()
        {
            task.set_pool(&pool);
        }
        gst::BusSyncReply::Pass
    });
    Ok(())
}
