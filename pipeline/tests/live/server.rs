//! A camera on the network that can be switched off and on.

use std::sync::mpsc;
use std::thread::{Builder, JoinHandle};

use gst::glib;
use gst_rtsp_server::RTSPFilterResult;
use gst_rtsp_server::prelude::*;

/// A server on this machine; dropping it is pulling its plug.
pub(crate) struct Server {
    pub port: u16,
    main_loop: glib::MainLoop,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves what `launch` makes at `/cam`, on `port` or on any free one.
    pub(crate) fn start(launch: &str, port: u16) -> Self {
        gst::init().unwrap();
        let context = glib::MainContext::new();
        let main_loop = glib::MainLoop::new(Some(&context), false);
        let (its_loop, launch) = (main_loop.clone(), launch.to_owned());
        let (ready, bound) = mpsc::channel();
        let serve = move || {
            let run = || {
                let server = serve(&launch, port);
                let attached = server.attach(Some(&context)).unwrap();
                let port = u16::try_from(server.bound_port()).unwrap();
                // Said by the loop itself: one that does not run yet can't be asked to end.
                let runs = glib::idle_source_new(None, glib::Priority::DEFAULT, move || {
                    ready.send(port).unwrap();
                    glib::ControlFlow::Break
                });
                runs.attach(Some(&context));
                its_loop.run();
                server.client_filter(Some(&mut |_, _| RTSPFilterResult::Remove));
                attached.remove_from(&context);
            };
            context.clone().with_thread_default(run).unwrap();
        };
        let thread = Builder::new().name("rtsp-server".to_owned()).spawn(serve).unwrap();
        let port = bound.recv_timeout(crate::LIMIT).unwrap();
        Self { port, main_loop, thread: Some(thread) }
    }
}

trait RemoveFrom {
    fn remove_from(self, context: &glib::MainContext);
}

impl RemoveFrom for glib::SourceId {
    fn remove_from(self, context: &glib::MainContext) {
        // By itself it would be sought in the default context.
        if let Some(source) = context.find_source_by_id(&self) {
            source.destroy();
        }
    }
}

fn serve(launch: &str, port: u16) -> gst_rtsp_server::RTSPServer {
    let server = gst_rtsp_server::RTSPServer::new();
    server.set_address("127.0.0.1");
    server.set_service(&port.to_string());
    let factory = gst_rtsp_server::RTSPMediaFactory::new();
    factory.set_launch(launch);
    factory.set_shared(true);
    server.mount_points().unwrap().add_factory("/cam", factory);
    server
}

impl Drop for Server {
    fn drop(&mut self) {
        self.main_loop.quit();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}
