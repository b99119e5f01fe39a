"""Where articles come from: files of several kinds, found and read into Documents."""
