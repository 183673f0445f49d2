-- What Orleans keeps: who is in the cluster, the state of grains, and reminders. OrleansQuery is where its ADO.NET providers look for their statements;
-- everything else is ours. Each statement is whole or without effect by itself, because the providers use no transactions.

create table OrleansQuery (
    QueryKey  text not null primary key,
    QueryText text not null
);

-- Every change of the members moves the version of their cluster on by one. Who does not know the last version changes nothing.
create table membership_version (
    deployment_id text    collate "C" not null primary key,
    version       integer not null
);

create table membership (
    deployment_id text        collate "C" not null,
    address       text        collate "C" not null,
    port          integer     not null,
    generation    integer     not null,
    silo_name     text        not null,
    host_name     text        not null,
    status        integer     not null,
    proxy_port    integer     not null,
    suspect_times text,
    start_time    timestamptz not null,
    alive_at      timestamptz not null,
    primary key (deployment_id, address, port, generation)
);

insert into OrleansQuery (QueryKey, QueryText) values
('InsertMembershipVersionKey',
 'with added as (
    insert into membership_version (deployment_id, version) values (@DeploymentId, 0)
    on conflict do nothing
    returning 1)
  select count(*) > 0 as Added from added;'),
('MembershipReadAllKey',
 'select cluster.version as Version, member.address as Address, member.port as Port, member.generation as Generation, member.silo_name as SiloName,
         member.host_name as HostName, member.status as Status, member.proxy_port as ProxyPort, member.suspect_times as SuspectTimes,
         member.start_time as StartTime, member.alive_at as IAmAliveTime
  from membership_version cluster left join membership member on member.deployment_id = cluster.deployment_id
  where cluster.deployment_id = @DeploymentId;'),
('MembershipReadRowKey',
 'select cluster.version as Version, member.address as Address, member.port as Port, member.generation as Generation, member.silo_name as SiloName,
         member.host_name as HostName, member.status as Status, member.proxy_port as ProxyPort, member.suspect_times as SuspectTimes,
         member.start_time as StartTime, member.alive_at as IAmAliveTime
  from membership_version cluster left join membership member
    on member.deployment_id = cluster.deployment_id and member.address = @Address and member.port = @Port and member.generation = @Generation
  where cluster.deployment_id = @DeploymentId;'),
('InsertMembershipKey',
 'with moved as (
    update membership_version set version = version + 1
    where deployment_id = @DeploymentId and version = @Version
      and not exists (
        select from membership
        where deployment_id = @DeploymentId and address = @Address and port = @Port and generation = @Generation)
    returning 1),
  added as (
    insert into membership (deployment_id, address, port, generation, silo_name, host_name, status, proxy_port, start_time, alive_at)
    select @DeploymentId, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime from moved
    returning 1)
  select count(*) > 0 as Added from added;'),
('UpdateMembershipKey',
 'with moved as (
    update membership_version set version = version + 1
    where deployment_id = @DeploymentId and version = @Version
      and exists (
        select from membership
        where deployment_id = @DeploymentId and address = @Address and port = @Port and generation = @Generation)
    returning 1),
  changed as (
    update membership set status = @Status, suspect_times = @SuspectTimes, alive_at = @IAmAliveTime
    where deployment_id = @DeploymentId and address = @Address and port = @Port and generation = @Generation and exists (select from moved)
    returning 1)
  select count(*) > 0 as Changed from changed;'),
('UpdateIAmAlivetimeKey',
 'update membership set alive_at = @IAmAliveTime
  where deployment_id = @DeploymentId and address = @Address and port = @Port and generation = @Generation;'),
('GatewaysQueryKey',
 'select address as Address, proxy_port as ProxyPort, generation as Generation
  from membership
  where deployment_id = @DeploymentId and status = @Status and proxy_port > 0;'),
('DeleteMembershipTableEntriesKey',
 'with members as (delete from membership where deployment_id = @DeploymentId)
  delete from membership_version where deployment_id = @DeploymentId;'),
('CleanupDefunctSiloEntriesKey',
 'delete from membership
  where deployment_id = @DeploymentId and status = 6 and start_time < @IAmAliveTime and alive_at < @IAmAliveTime;'),
('CleanupDefunctSiloEntryKey',
 'delete from membership
  where deployment_id = @DeploymentId and address = @Address and port = @Port and generation = @Generation and status = 6
    and coalesce(suspect_times, '''') = coalesce(@SuspectTimes, '''') and start_time = @StartTime and alive_at = @IAmAliveTime;');

-- A write is accepted only by the version it was read at; no row comes back otherwise, which Orleans takes for a conflict.
create table grain_state (
    service_id text    collate "C" not null,
    n0         bigint  not null,
    n1         bigint  not null,
    type_name  text    collate "C" not null,
    extension  text    collate "C" not null,
    payload    bytea,
    version    integer not null,
    primary key (service_id, n0, n1, type_name, extension)
);

insert into OrleansQuery (QueryKey, QueryText) values
('ReadFromStorageKey',
 'select payload as PayloadBinary, version as Version
  from grain_state
  where service_id = @ServiceId and n0 = @GrainIdN0 and n1 = @GrainIdN1 and type_name = @GrainTypeString
    and extension = coalesce(@GrainIdExtensionString, '''');'),
('WriteToStorageKey',
 'with added as (
    insert into grain_state (service_id, n0, n1, type_name, extension, payload, version)
    select @ServiceId, @GrainIdN0, @GrainIdN1, @GrainTypeString, coalesce(@GrainIdExtensionString, ''''), @PayloadBinary, 1
    where @GrainStateVersion is null
    on conflict do nothing
    returning version),
  changed as (
    update grain_state set payload = @PayloadBinary, version = version + 1
    where service_id = @ServiceId and n0 = @GrainIdN0 and n1 = @GrainIdN1 and type_name = @GrainTypeString
      and extension = coalesce(@GrainIdExtensionString, '''') and version = @GrainStateVersion
    returning version)
  select version as NewGrainStateVersion from added union all select version from changed;'),
('ClearStorageKey',
 'update grain_state set payload = null, version = version + 1
  where service_id = @ServiceId and n0 = @GrainIdN0 and n1 = @GrainIdN1 and type_name = @GrainTypeString
    and extension = coalesce(@GrainIdExtensionString, '''') and version = @GrainStateVersion
  returning version as NewGrainStateVersion;'),
('DeleteStorageKey',
 'delete from grain_state
  where service_id = @ServiceId and n0 = @GrainIdN0 and n1 = @GrainIdN1 and type_name = @GrainTypeString
    and extension = coalesce(@GrainIdExtensionString, '''') and version = @GrainStateVersion
  returning version + 1 as NewGrainStateVersion;');

-- Every write gives a reminder a number that none had before, so an old handle never deletes what was registered after it. Hashes are the positions of
-- grains on the ring of silos, read as signed numbers. A range wraps around when its end is not beyond its beginning; it is everything when they are the same.
create sequence reminder_version as integer cycle;

create table reminder (
    service_id text        collate "C" not null,
    grain_id   text        collate "C" not null,
    name       text        collate "C" not null,
    grain_hash integer     not null,
    start_time timestamptz not null,
    period     bigint      not null,
    version    integer     not null default nextval('reminder_version'),
    primary key (service_id, grain_id, name)
);

-- Written so that what looks for one grain's reminders has no other index to take than that of the primary key.
create index reminder_by_hash on reminder ((service_id || ''), grain_hash);

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
  where service_id || '''' = @ServiceId and grain_hash > @BeginHash and grain_hash <= @EndHash;'),
('ReadRangeRows2Key',
 'select grain_id as GrainId, name as ReminderName, start_time as StartTime, period as Period, version as Version
  from reminder
  where service_id || '''' = @ServiceId and grain_hash > @BeginHash
  union all
  select grain_id, name, start_time, period, version
  from reminder
  where service_id || '''' = @ServiceId and grain_hash <= @EndHash and grain_hash <= @BeginHash;'),
('UpsertReminderRowKey',
 'insert into reminder (service_id, grain_id, name, grain_hash, start_time, period)
  values (@ServiceId, @GrainId, @ReminderName, @GrainHash, @StartTime, @Period)
  on conflict (service_id, grain_id, name) do update
  set grain_hash = excluded.grain_hash, start_time = excluded.start_time, period = excluded.period, version = excluded.version
  returning version as Version;'),
('DeleteReminderRowKey',
 'with removed as (
    delete from reminder
    where service_id = @ServiceId and grain_id = @GrainId and name = @ReminderName and version = @Version
    returning 1)
  select count(*) > 0 as Removed from removed;'),
('DeleteReminderRowsKey',
 'delete from reminder where service_id = @ServiceId;');
