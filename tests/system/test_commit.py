"""What is told as done has been committed: a statement is answered before its commit, which may fail."""

import pytest

from bodies import sample, samples

# The first commits fail, the later ones do not: a sequence forgets nothing when they are rolled back.
AT_COMMIT = """
    CREATE SEQUENCE tries;
    CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('tries') <= 2 THEN
        {body}
      END IF;
      RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON biometrics.biometric_events
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit()"""


@pytest.mark.parametrize("body", ["RAISE 'no' USING ERRCODE = 'serialization_failure';",
                                  "PERFORM pg_terminate_backend(pg_backend_pid());"])
def test_a_commit_that_fails_is_tried_again_before_anything_is_said(new_house, body):
    house = new_house()
    house.db.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
    house.db.execute(AT_COMMIT.format(body=body))
    house.db.execute("GRANT ALL ON SEQUENCE tries TO PUBLIC")
    answer = house.worker.post("healthkit", samples("late", sample("heartRate", 71)))
    assert answer.status == 202, answer
    assert house.received("late") == 1
    assert house.value("SELECT last_value FROM tries") == 3
