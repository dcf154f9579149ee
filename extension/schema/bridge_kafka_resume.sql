-- bridge, Kafka: what an operator says when a partition has stopped itself.

CREATE FUNCTION bridge.resume_partition(
  p_cluster_id text,
  p_topic text,
  p_partition integer,
  p_at bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  it bridge.kafka_offsets;
BEGIN
  SELECT * INTO it FROM bridge.kafka_offsets
   WHERE cluster_id = p_cluster_id AND topic = p_topic AND partition = p_partition FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no offset is kept for partition % of topic "%"', p_partition, p_topic
      USING ERRCODE = 'undefined_object';
  ELSIF it.stopped_reason IS NULL THEN
    RAISE EXCEPTION 'partition % of topic "%" is not stopped', p_partition, p_topic
      USING ERRCODE = 'object_not_in_prerequisite_state';
  ELSIF p_at < 0 THEN
    RAISE EXCEPTION 'offset % is out of range', p_at
      USING ERRCODE = 'invalid_parameter_value', HINT = 'An offset is 0 or more.';
  ELSIF p_at IS NULL AND it.stopped_reason <> 'fuse' THEN
    RAISE EXCEPTION 'partition % of topic "%" cannot go on from offset %: %',
      p_partition, p_topic, it.next_offset, it.stopped_detail
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Say where to go on: p_at, or --at earliest of the command.';
  END IF;
  UPDATE bridge.kafka_offsets
     SET stopped_reason = NULL,
         stopped_detail = NULL,
         next_offset = coalesce(p_at, next_offset),
         last_digest = CASE WHEN p_at IS NULL THEN last_digest END,
         anchor_offset = CASE WHEN p_at IS NULL THEN anchor_offset END,
         anchor_digest = CASE WHEN p_at IS NULL THEN anchor_digest END,
         updated_at = clock_timestamp()
   WHERE cluster_id = p_cluster_id AND topic = p_topic AND partition = p_partition;
  RETURN coalesce(p_at, it.next_offset);
END;
$$;
COMMENT ON FUNCTION bridge.resume_partition(text, text, integer, bigint) IS
  'lets a stopped partition go on, from another offset if p_at says one; returns the offset';

REVOKE ALL ON FUNCTION bridge.resume_partition(text, text, integer, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION bridge.resume_partition(text, text, integer, bigint) TO auren_writer, auren_admin;
