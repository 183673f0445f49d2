-- State of grains for the ADO.NET provider of Orleans: its table of queries and our table of state.
--
-- A write is accepted only by the version it was read at; no row comes back otherwise, which Orleans takes for a conflict.

create table OrleansQuery (
    QueryKey  text not null primary key,
    QueryText text not null
);

create table grain_state (
    service_id text    not null,
    n0         integer not null,
    n1         integer not null,
    type_name  text    not null,
    extension  text    not null,
    payload    blob,
    version    integer not null,
    primary key (service_id, n0, n1, type_name, extension)
) without rowid;

insert into OrleansQuery (QueryKey, QueryText) values
('ReadFromStorageKey',
 'select payload as PayloadBinary, version as Version
  from grain_state
  where service_id = @ServiceId and n0 = @GrainIdN0 and n1 = @GrainIdN1 and type_name = @GrainTypeString
    and extension = coalesce(@GrainIdExtensionString, '''');'),
('WriteToStorageKey',
 'insert into grain_state (service_id, n0, n1, type_name, extension, payload, version)
  select @ServiceId, @GrainIdN0, @GrainIdN1, @GrainTypeString, coalesce(@GrainIdExtensionString, ''''), @PayloadBinary, 1
  where @GrainStateVersion is null
  on conflict do nothing
  returning version as NewGrainStateVersion;
  update grain_state set payload = @PayloadBinary, version = version + 1
  where service_id = @ServiceId and n0 = @GrainIdN0 and n1 = @GrainIdN1 and type_name = @GrainTypeString
    and extension = coalesce(@GrainIdExtensionString, '''') and version = @GrainStateVersion
  returning version as NewGrainStateVersion;'),
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
