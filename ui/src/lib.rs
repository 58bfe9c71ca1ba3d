//! WHAT THE OPERATOR SEES: a snapshot of the line and the store's read half in, commands out. Only
//! the door so far: reports are pages, and there is no screen.
