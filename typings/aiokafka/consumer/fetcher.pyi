from aiokafka.record import memory_records

MemoryRecords: type[memory_records.MemoryRecords]
