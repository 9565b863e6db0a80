"""One benchmark that anyone can run again: jobs that are done once, and the paper's tables and figures of them."""
