-- Reminders for the ADO.NET provider of Orleans: when to wake which grain.
--
-- Every write gives a reminder a number that no reminder ever had, so an old handle never deletes what was registered after it. Hashes are the
-- positions of grains on the ring of silos, read as signed numbers.

create table reminder (
    version    integer not null primary key autoincrement,
    service_id text    not null,
    grain_id   text    not null,
    name       text    not null,
    grain_hash integer not null,
    start_time text    not null,
    period     integer not null,
    unique (service_id, grain_id, name)
);

create index reminder_by_hash on reminder (service_id, grain_hash);

insert into OrleansQuery (QueryKey, QueryText) values
('ReadReminderRowsKey',
 'select grain_id as GrainId, name as ReminderName, start_time as StartTime, period as Period, version as Version
  from reminder
  where service_id = @ServiceId and grain_id = @GrainId;'),
('ReadReminderRowKey',
 'select grain_id as GrainId, name as ReminderName, start_time as StartTime, period as Period, version as Version
  from reminder
  where service_id = @ServiceId and grain_id = @GrainId and name = @ReminderName;'),
('ReadRangeRows1Key',
 'select grain_id as GrainId, name as ReminderName, start_time as StartTime, period as Period, version as Version
  from reminder
  where service_id = @ServiceId and grain_hash > @BeginHash and grain_hash <= @EndHash;'),
('ReadRangeRows2Key',
 'select grain_id as GrainId, name as ReminderName, start_time as StartTime, period as Period, version as Version
  from reminder
  where service_id = @ServiceId and (grain_hash > @BeginHash or grain_hash <= @EndHash);'),
('UpsertReminderRowKey',
 'insert or replace into reminder (service_id, grain_id, name, grain_hash, start_time, period)
  values (@ServiceId, @GrainId, @ReminderName, @GrainHash, @StartTime, @Period)
  returning version as Version;'),
('DeleteReminderRowKey',
 'delete from reminder
  where service_id = @ServiceId and grain_id = @GrainId and name = @ReminderName and version = @Version;
  select changes() > 0 as Deleted;'),
('DeleteReminderRowsKey',
 'delete from reminder where service_id = @ServiceId;');
