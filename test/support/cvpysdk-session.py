"""Logs in with cvpysdk, then runs each line of its input, a JSON string of Python, and answers with one line of JSON."""
import json
import sys
import time
import traceback

from cvpysdk.commcell import Commcell
from cvpysdk.job import Job


def tell(**words):
    # The SDK prints warnings of its own on the way.
    sys.__stdout__.write(json.dumps(words) + '\n')
    sys.__stdout__.flush()


def wait(job):
    """Until the job is over: the SDK's own waiting looks every 30 s only."""
    while not job.is_finished:
        time.sleep(0.1)
    return job.wait_for_completion()


def main(host, user, password):
    sys.stdout = sys.stderr
    commcell = Commcell(host, user, password, web_service_url='http://%s/commandcenter/api' % host)
    known = {'commcell': commcell, 'Job': Job, 'wait': wait}
    tell(answer='logged in')
    for line in sys.stdin:
        known.pop('answer', None)
        try:
            exec(json.loads(line), known)
            tell(answer=known.get('answer'))
        except Exception:
            tell(error=traceback.format_exc())


main(*sys.argv[1:])
