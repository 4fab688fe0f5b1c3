"""How Snakemake itself goes about many jobs: what its planning and its scheduler (9.27.1) do better otherwise."""

import gc
import signal
import threading

# A plan of thousands of jobs is millions of objects that all stay: to look for garbage among them was more than a tenth
# of planning, and left memory as it was. It is done from the first job's start on, and never among what was planned.
gc.disable()


def end_when_told():
    """Let a thread of its own call what Snakemake does at SIGTERM.

    Its handler waits for the scheduler's lock, and runs in the thread that holds it while jobs are chosen: Snakemake
    stood still for good if the signal came just then.
    """
    end = signal.getsignal(signal.SIGTERM)
    # Neither is so where Snakemake is called from another program, which has the signal for itself.
    if callable(end) and threading.current_thread() is threading.main_thread():
        signal.signal(
            signal.SIGTERM,
            lambda *said: threading.Thread(target=end, args=said).start(),
        )


def remind_once(scheduler):
    """Have one timer at a time wake the scheduler.

    While jobs wait, each waking up sets a timer for the next: one more for each job that was finished, a thousand a
    second after a thousand jobs, each of which chooses jobs anew. One is enough.
    """
    pending = []

    def remind(delay):
        if not (pending and pending[0].is_alive()):
            pending[:] = [threading.Timer(delay, scheduler._open_jobs.release)]
            # Snakemake need not wait for it in the end.
            pending[0].daemon = True
            pending[0].start()

    scheduler._schedule_reevalutation = remind


onstart:
    gc.freeze()
    gc.enable()
    end_when_told()
    remind_once(workflow.scheduler)
