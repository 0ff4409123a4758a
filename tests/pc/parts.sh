# What a PC is made of: an installer that is a stand-in, and a disk that says that it was booted. Sourced.
# shellcheck shell=bash
kernel=$(compgen -G "$LVS_LAB_DIR/kernel/boot/vmlinuz-*" | sort -V | tail -1)
version=${kernel##*/vmlinuz-}

install_kernel() { cp "$kernel" "$1"; }

# installer FILE: an initrd of busybox that does what an installer does before it installs
installer() {
  local root=/tmp/installer module
  mkdir -p $root/{bin,modules,proc,sys,dev}
  cp /bin/busybox $root/bin
  # In the order in which they can be loaded.
  for module in virtio_pci virtio_net e1000; do
    modprobe -d "$LVS_LAB_DIR/kernel" -S "$version" --show-depends $module | awk '/^insmod/ { print $2 }'
  done | awk '!seen[$0]++' | while read -r module; do cp "$module" $root/modules; echo "${module##*/}" >>$root/modules/order; done
  cat >$root/init <<'I'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc; $b mount -t sysfs sys /sys; $b mount -t devtmpfs dev /dev
exec >/dev/console 2>&1
echo 3 >/proc/sys/kernel/printk
while read -r m; do $b insmod /modules/$m; done </modules/order
for word in $($b cat /proc/cmdline); do
  case $word in
    BOOTIF=*) mac=$(echo ${word#BOOTIF=01-} | $b tr - :);;
    inst.ks=*) ks=${word#inst.ks=};;
  esac
done
for card in /sys/class/net/*; do [ "$($b cat $card/address)" = "$mac" ] && card=${card##*/} && break; done
$b ip link set $card up
cat_hook='#!/bin/busybox sh
[ "$1" = bound ] || exit 0
/bin/busybox ip addr add $ip/$mask dev $interface
echo "installer: $ip $hostname $domain"'
echo "$cat_hook" >/hook; $b chmod +x /hook
$b udhcpc -i $card -n -q -t 20 -T 1 -s /hook
$b wget -q -O /ks "$ks" && $b sed -n 's/^network/installer: network/p' /ks
$b sleep 1
$b reboot -f
I
  chmod +x $root/init
  (cd $root && find . | cpio -o -H newc --quiet | gzip -1) >"$1"
}

# disk FILE: what its first sector and what its EFI partition start say that it was booted, and end the PC
disk() {
  truncate -s 48M "$1"
  mkfs.vfat -C /tmp/esp 40960 >/dev/null
  mmd -i /tmp/esp ::/EFI ::/EFI/BOOT ::/EFI/debian
  mcopy -i /tmp/esp /usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed ::/EFI/BOOT/BOOTX64.EFI
  printf 'echo "the disk was booted"\nsleep 1\nhalt\n' >/tmp/grub.cfg; mcopy -i /tmp/esp /tmp/grub.cfg ::/EFI/debian/grub.cfg
  dd if=/tmp/esp of="$1" bs=1M seek=1 conv=notrunc status=none
  python3 - "$1" <<'P'
import struct, sys
# 16-bit code: every byte of the text to COM1 when its sender is empty, then QEMU's exit port.
text = b'the disk was booted\r\n\0'
code = bytes([0xFC, 0x31, 0xC0, 0x8E, 0xD8,             # cld; xor ax,ax; mov ds,ax
              0xBE, 0x20, 0x7C,                         # mov si,0x7c20
              0xAC, 0x84, 0xC0, 0x74, 0x0E,             # next: lodsb; test al,al; jz end
              0x88, 0xC3, 0xBA, 0xFD, 0x03,             # mov bl,al; mov dx,0x3fd
              0xEC, 0xA8, 0x20, 0x74, 0xFB])            # wait: in al,dx; test al,0x20; jz wait
code = code + bytes([0x88, 0xD8, 0xB2, 0xF8])           # mov al,bl; mov dl,0xf8
jump = 8 - (len(code) + 3)
code = code + bytes([0xEE, 0xEB, jump & 0xFF])          # out dx,al; jmp next
end = len(code)
code = code[:12] + bytes([end - 13]) + code[13:]
code += bytes([0xE6, 0xF4, 0xF4])                       # out 0xf4,al; hlt
code = code.replace(bytes([0xBE, 0x20, 0x7C]), b'\xBE' + struct.pack('<H', 0x7C00 + len(code)))
partition = struct.pack('<B3sB3sII', 0x80, b'\0\2\0', 0xEF, b'\xff\xff\xff', 2048, 81920)
with open(sys.argv[1], 'r+b') as disk:
    disk.write((code + text).ljust(446, b'\0') + partition + bytes(48) + b'\x55\xAA')
P
}
